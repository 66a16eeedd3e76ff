// An environment variable that switches something on or off.
#pragma once

#include <cstdlib>
#include <string_view>

#include "amphora/core/error.h"

namespace amphora {

// 0 or 1; `otherwise` where it is unset or empty. Throws Error for another value.
inline bool environment_flag(const char* name, bool otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  const std::string_view value(text);
  require(value == "0" || value == "1", "{} is '{}'; it must be 0 or 1", name, value);
  return value == "1";
}

}  // namespace amphora
