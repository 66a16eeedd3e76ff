// A double's way into an array, rounded once: the tails of sums are in f64.
#pragma once

#include "cuda/include/io.cuh"

namespace amphora::cuda {

// The f32 next to `value` whose last bit is set, unless an f32 holds all of it: rounding that to 16 bits gives what
// rounding `value` itself would (Boldo & Melquiond 2008).
__device__ inline float rounded_to_odd(double value) {
  const auto near = static_cast<float>(value);
  const double exact = near;
  const std::uint32_t bits = bits_of(near);
  if (exact == value || (bits & 1u) != 0 || is_nan_bits(bits)) return near;
  return float_of(fabs(value) > fabs(exact) ? bits + 1 : bits - 1);
}

__device__ inline std::uint32_t narrow_once(DType type, double value) {
  if (takes_16_bits(type)) return narrow(type, rounded_to_odd(value));
  if (type != DType::i32) return narrow(type, static_cast<float>(value));
  if (value != value) return 0;
  const double low = value > -2147483648.0 ? value : -2147483648.0;
  return static_cast<std::uint32_t>(static_cast<int>(low < 2147483647.0 ? low : 2147483647.0));
}

__device__ inline void store_once(const Array& array, std::size_t i, double value) {
  store_stored(array, i, narrow_once(array.type, value));
}

}  // namespace amphora::cuda
