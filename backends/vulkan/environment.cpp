#include "backends/vulkan/environment.h"

#include "amphora/core/environment.h"

namespace amphora::vulkan {

Environment environment() {
  const Environment defaults;
  return {.cooperative_matrix = environment_flag("AMPHORA_VULKAN_COOPMAT", defaults.cooperative_matrix),
          .bfloat16 = environment_flag("AMPHORA_VULKAN_BF16", defaults.bfloat16),
          .validation = environment_flag("AMPHORA_VULKAN_VALIDATION", defaults.validation)};
}

}  // namespace amphora::vulkan
