#include "backends/vulkan/check.h"

#include "amphora/core/error.h"

namespace amphora::vulkan {

std::string_view name_of(VkResult result) {
  switch (result) {
    case VK_SUCCESS: return "VK_SUCCESS";
    case VK_NOT_READY: return "VK_NOT_READY";
    case VK_TIMEOUT: return "VK_TIMEOUT";
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED: return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST: return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED: return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_LAYER_NOT_PRESENT: return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT: return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT: return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS: return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_FRAGMENTED_POOL: return "VK_ERROR_FRAGMENTED_POOL";
    case VK_ERROR_OUT_OF_POOL_MEMORY: return "VK_ERROR_OUT_OF_POOL_MEMORY";
    case VK_PIPELINE_COMPILE_REQUIRED: return "VK_PIPELINE_COMPILE_REQUIRED";
    default: return "a VkResult without a name here";
  }
}

void check(VkResult result, std::string_view what) {
  switch (result) {
    case VK_SUCCESS: return;
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      throw OutOfMemory(fmt::format(
          "out of memory on vulkan while {} ({}). Use smaller batches, gradient accumulation or a smaller model, or "
          "close what else uses the device",
          what, name_of(result)));
    case VK_ERROR_DEVICE_LOST:
      fail(
          "vulkan lost the device while {}: the driver stopped it or it was taken away. Start again; if it happens at "
          "the same place, run with AMPHORA_VULKAN_VALIDATION=1, and look into the system's log",
          what);
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      fail("no Vulkan driver works here (VK_ERROR_INCOMPATIBLE_DRIVER while {}); install the GPU's driver, or Mesa's",
           what);
    default: fail("vulkan failed while {}: {} ({})", what, name_of(result), static_cast<int>(result));
  }
}

}  // namespace amphora::vulkan
