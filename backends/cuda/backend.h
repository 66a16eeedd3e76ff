// The cuda backend's row of the registry, whose functions find and load the module; the module exports a row of the
// same structure whose functions are its own.
#pragma once

#include "amphora/device/backend.h"

namespace amphora::cuda {

// Says why there is no device: no module, no driver, or what the module finds. A module on a machine without a driver
// is not loaded at all, because its libraries are large.
BackendStatus status();
std::shared_ptr<Device> open(const DeviceOptions& options);
std::vector<DeviceReport> devices();
Support supports(KernelId kernel, const Spec& spec);

inline constexpr KernelId kFused[] = {KernelId::softmax, KernelId::softmax_grad};
inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::tf32, Precision::f16, Precision::bf16};

inline constexpr Backend kBackend{
    .name = "cuda",
    .what = "Tensor Cores through cuBLASLt and own kernels",
    .status = status,
    .open = open,
    .devices = devices,
    // CUDA's own functions of f32, with the errors that the CUDA C++ Programming Guide gives for them (Mathematical
    // Functions, table of single-precision functions); compiled for IEEE division and square root, without fused
    // products and without flushing of subnormals. What follows a sum is in f64, which every device has. Tensor Cores
    // may cut off rather than round.
    .accuracy = {.divide = 0.5,
                 .square_root = 0.5,
                 .exp = 1.0,
                 .expm1 = 1.0,
                 .log = 1.0,
                 .log1p = 1.0,
                 .tanh = 2.0,
                 .sine = 2.0,
                 .power = 4.0,
                 .bias_correction = 0.5,
                 .matrix_unit_term = 2.0,
                 .f64_tails = true,
                 .same_bits = true,
                 .flushes_subnormals = false},
    .supports = supports,
    .fused = kFused,
    .precisions = kPrecisions,
    .watcher = Watcher::compute_sanitizer,
};

}  // namespace amphora::cuda
