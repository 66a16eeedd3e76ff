// What `./run devices` says of each Vulkan device.
#pragma once

#include <vector>

#include "backends/registry.h"

namespace amphora::vulkan {

std::vector<DeviceReport> report();

}  // namespace amphora::vulkan
