// Which physical device is opened.
#pragma once

#include <string>
#include <string_view>

#include "amphora/device/backend.h"
#include "backends/vulkan/capabilities.h"

namespace amphora::vulkan {

// The device that `wish` names, by its index in the list or by a part of its name; the first one when empty. Throws
// Error that lists what there is.
Candidate select(std::string_view wish);

// Leaves of the capabilities what the user, the environment and this build allow.
void restrict_to(const DeviceOptions& options, Capabilities& capabilities);

}  // namespace amphora::vulkan
