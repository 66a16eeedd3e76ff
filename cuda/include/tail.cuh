// What runs once a row or once a result, in f64, and is rounded once.
#pragma once

#include "cuda/include/io.cuh"

namespace amphora::cuda {

// The f32 toward zero, its last bit set where digits were lost: rounding that to 16 bits is the only rounding.
__device__ inline float rounded_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || value != value) return nearest;
  const bool is_above = fabs(static_cast<double>(nearest)) > fabs(value);
  return float_of((bits_of(nearest) - (is_above ? 1u : 0u)) | 1u);
}

// A number as stores of `type` take it.
__device__ inline float rounded_for(DType type, double value) {
  return is_16bit(type) ? rounded_to_odd(value) : static_cast<float>(value);
}

__device__ inline void store(const Array& array, std::size_t i, double value) {
  if (array.type == DType::i32) {
    // Saturates; NaN becomes 0.
    const double inside = value >= 2147483647.0 ? 2147483647.0 : value <= -2147483648.0 ? -2147483648.0 : value;
    store_stored(array, i, value != value ? 0u : static_cast<std::uint32_t>(static_cast<std::int32_t>(inside)));
  } else {
    store(array, i, rounded_for(array.type, value));
  }
}

}  // namespace amphora::cuda
