// Turns a VkResult that is not success into an Error that says what was asked, what happened and what to do.
#pragma once

#include <string_view>

#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

// "VK_ERROR_DEVICE_LOST"
std::string_view name_of(VkResult result);

// Throws OutOfMemory for memory that ran out, else Error, unless `result` is VK_SUCCESS. `what` names what was asked:
// "submitting 12 kernels".
void check(VkResult result, std::string_view what);

}  // namespace amphora::vulkan
