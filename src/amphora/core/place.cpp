#include "amphora/core/place.h"

#include <fmt/format.h>

namespace amphora {

std::string describe(const Place& place) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += text.empty() ? part : ", " + part; };
  if (!place.op.empty()) {
    add(place.module.empty() ? fmt::format("'{}'", place.op) : fmt::format("'{}' of {}", place.op, place.module));
  } else if (!place.module.empty()) {
    add(place.module);
  }
  if (!place.phase.empty()) add(std::string(place.phase));
  if (place.step >= 0) add(fmt::format("step {}", place.step));
  return text;
}

}  // namespace amphora
