// The vulkan backend's row of the registry.
#pragma once

#include "amphora/device/backend.h"

namespace amphora::vulkan {

// Only where the backend is built.
BackendStatus status();
std::shared_ptr<Device> open(const DeviceOptions& options);
std::vector<DeviceReport> devices();
Support supports(KernelId kernel, const Spec& spec);

inline constexpr KernelId kFused[] = {KernelId::softmax, KernelId::softmax_grad};
inline constexpr Precision kPrecisions[] = {Precision::f32, Precision::f16, Precision::bf16};

// Products through multiply-adds alone.
inline constexpr DeviceVariant kVariants[] = {
    {"_fma", [](DeviceOptions& options) { options.cooperative_matrix = false; }}};

inline constexpr Backend kBackend{
    .name = "vulkan",
    .what = "compute shaders on any Vulkan 1.3 device, products through cooperative matrices",
    .status = AMPHORA_VULKAN ? status : nullptr,
    .open = AMPHORA_VULKAN ? open : nullptr,
    .devices = AMPHORA_VULKAN ? devices : nullptr,
    // Shaders bring their own functions, with the errors that shaders/include/math.glsl and trigonometry.glsl give;
    // square root (exact.glsl) and bias corrections are rounded correctly. A driver's division, which the pointwise
    // functions use, may be off by 2.5 (the Vulkan specification, Precision of Core SPIR-V Instructions); it may flush
    // subnormals, and a matrix unit may cut off rather than round.
    .accuracy = {.divide = 2.5,
                 .square_root = 0.5,
                 .exp = 1.0,
                 .expm1 = 1.5,
                 .log = 1.0,
                 .log1p = 1.0,
                 .tanh = 3.0,
                 .sine = 2.0,
                 .power = 1.0,
                 .bias_correction = 0.5,
                 .matrix_unit_term = 2.0,
                 .f64_tails = false,
                 .same_bits = false,
                 .flushes_subnormals = true},
    .supports = AMPHORA_VULKAN ? supports : nullptr,
    .fused = kFused,
    .precisions = kPrecisions,
    .variants = kVariants,
    .watcher = Watcher::validation_layers,
};

}  // namespace amphora::vulkan
