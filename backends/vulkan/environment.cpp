#include "backends/vulkan/environment.h"

#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace amphora::vulkan {
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
  return {.cooperative_matrix = flag("AMPHORA_VULKAN_COOPMAT", defaults.cooperative_matrix),
          .bfloat16 = flag("AMPHORA_VULKAN_BF16", defaults.bfloat16),
          .validation = flag("AMPHORA_VULKAN_VALIDATION", defaults.validation)};
}

}  // namespace amphora::vulkan
