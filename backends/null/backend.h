// The null backend's row of the registry.
#pragma once

#include "amphora/device/backend.h"

namespace amphora::null {

BackendStatus status();
std::shared_ptr<Device> open(const DeviceOptions& options);
Support supports(KernelId kernel, const Spec& spec);

inline constexpr Backend kBackend{
    .name = "null",
    .what = "checks and counts kernel calls, computes nothing: the template for a new backend",
    .status = status,
    .open = open,
    .supports = supports,
    .fused = kFusedKernels,
    .computes = false,
};

}  // namespace amphora::null
