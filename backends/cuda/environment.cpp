#include "backends/cuda/environment.h"

#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace amphora::cuda {
namespace {

bool flag(const char* name, bool otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  const std::string_view value(text);
  require(value == "0" || value == "1", "{} is '{}'; it must be 0 or 1", name, value);
  return value == "1";
}

}  // namespace

Environment environment() {
  const Environment defaults;
  return {.tune = flag("AMPHORA_CUDA_TUNE", defaults.tune),
          .synchronous = flag("AMPHORA_CUDA_SYNC", defaults.synchronous)};
}

}  // namespace amphora::cuda
