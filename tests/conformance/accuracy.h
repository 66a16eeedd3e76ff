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
  double sine = 3.0;           // of sin and cos
  double sine_absolute = 0.0;  // and in units in the last place of 1, for those that lose the digits near a zero
  double power = 1.0;
  double power_by_exponent = 0.0;  // and for each unit of |p log2 x|
  double bias_correction = 0.5;    // of 1 - beta^step and its root

  // Roundings that each term of a matrix product costs: 1 for a product and a sum that round to nearest.
  double term = 1.0;
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

// Vulkan: what the specification asks of division and sqrt (2.5 ulp; sqrt as 1 / inversesqrt of 2 ulp), and the errors
// that shaders/include/math.glsl gives for its own functions. Matrix units may cut off rather than round.
inline constexpr Accuracy kVulkanAccuracy{
    .divide = 2.5,
    .square_root = 3.0,
    .exp = 2.0,
    .expm1 = 4.0,
    .log = 4.0,
    .log1p = 6.0,
    .tanh = 4.0,
    .sine = 0.0,
    .sine_absolute = 4.0,
    .power = 2.0,
    .power_by_exponent = 2.0,
    .bias_correction = 4.0,
    .term = 2.0,
    .f64_tails = false,
    .same_bits = false,
    .flushes_subnormals = true,
};

}  // namespace amphora::conformance
