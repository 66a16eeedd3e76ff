// Which device is opened, and why none is.
#pragma once

#include <memory>
#include <vector>

#include "amphora/device/backend.h"
#include "backends/cuda/capabilities.h"

namespace amphora::cuda {

// What module.h promises.
BackendStatus status_of_devices();
std::shared_ptr<Device> open_device_of(const DeviceOptions& options);
std::vector<DeviceReport> report_devices();

}  // namespace amphora::cuda
