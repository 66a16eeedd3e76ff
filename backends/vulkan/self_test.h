// What a driver claims is tried before it is used.
#pragma once

#include "backends/vulkan/capabilities.h"

namespace amphora::vulkan {

// Runs small kernels on the device and compares with the host: the conversions through packHalf2x16, and each
// cooperative-matrix shape, which is also timed on a GPU. What is wrong, or so slow that it is emulated, is taken out
// of candidate.capabilities, and `unused` says so. Verdicts are kept on disk by driver and build, so that only the
// first start pays.
void apply_self_test(Candidate& candidate);

}  // namespace amphora::vulkan
