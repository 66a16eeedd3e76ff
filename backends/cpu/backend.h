// The cpu backend's row of the registry.
#pragma once

#include "amphora/device/backend.h"

namespace amphora::cpu {

BackendStatus status();
std::shared_ptr<Device> open(const DeviceOptions& options);
Support supports(KernelId kernel, const Spec& spec);

inline constexpr DeviceVariant kVariants[] = {{"_oracle", [](DeviceOptions& options) { options.cpu_oracle = true; }}};

inline constexpr Backend kBackend{
    .name = "cpu",
    .what = "a scalar oracle in f64, and vectorised kernels (Highway, OpenBLAS) chosen at run time",
    .status = status,
    .open = open,
    // log1p is built on Log, a division and a product, each of which adds a rounding. pow runs in f64.
    .accuracy = {},
    .supports = supports,
    .fused = kFusedKernels,
    .variants = kVariants,
};

}  // namespace amphora::cpu
