// What a subject's f32 arithmetic may do. The bounds of all tests are derived from these figures and nothing else.
//
// + - * round correctly everywhere; a conversion to a storage type rounds to nearest even everywhere.
#pragma once

namespace amphora::conformance {

// Errors in units in the last place of the result, unless it says otherwise; correct rounding is 0.5.
struct Accuracy {
  double divide = 0.5;
  double square_root = 1.0;
  double exp = 1.0;
  double expm1 = 4.0;
  double log = 4.0;
  double log1p = 6.0;
  double tanh = 4.0;
  double sine = 3.0;  // of sin and cos
  double power = 1.0;
  double bias_correction = 0.5;  // of 1 - beta^step and its root

  // Roundings that each term of a product in matrix units costs. One rounds to nearest; two allow for units that cut
  // off. Elsewhere a term is a product and a sum, which round to nearest.
  double matrix_unit_term = 1.0;
  // What follows a sum (its logarithm, a scale, what it is added to) is in f64 and rounds once, when it is stored.
  bool f64_tails = true;
  // Where the vocabulary gives the order of operations, as in the optimizers, the bits are the oracle's.
  bool same_bits = true;
  // A subnormal f32, operand or result, may count as zero.
  bool flushes_subnormals = false;
};

// The cpu backend's vectorised kernels: the defaults above, which are what Highway documents for its functions. log1p
// is built on Log, a division and a product, each of which adds a rounding. pow runs in f64.
inline constexpr Accuracy kCpuAccuracy{};

// Vulkan's shaders bring their own functions, with the errors that shaders/include/math.glsl and trigonometry.glsl
// give; square root (exact.glsl) and bias corrections are rounded correctly. A driver's division, which the pointwise
// functions use, may be off by 2.5 (the Vulkan specification, Precision of Core SPIR-V Instructions); it may flush
// subnormals, and a matrix unit may cut off rather than round.
inline constexpr Accuracy kVulkanAccuracy{
    .divide = 2.5,
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
    .flushes_subnormals = true,
};

// CUDA's own functions of f32, with the errors that the CUDA C++ Programming Guide gives for them (Mathematical
// Functions, table of single-precision functions); compiled for IEEE division and square root, without fused products
// and without flushing of subnormals. What follows a sum is in f64, which every device has. Tensor Cores may cut off
// rather than round.
inline constexpr Accuracy kCudaAccuracy{
    .divide = 0.5,
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
    .flushes_subnormals = false,
};

}  // namespace amphora::conformance
