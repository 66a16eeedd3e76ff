// What a thread gathers for a norm, by its order: how an element counts, how two results join, and the part that a
// block hands on, an f64.
//
// Parts are joined in f64, and what they add up to is rounded to f32 once. An infinite gradient makes a sum infinite;
// NaN wins everywhere.
#pragma once

#include <cstdint>

#include "cuda/include/block.cuh"
#include "cuda/include/io.cuh"

namespace amphora::cuda {

// A sum of f32 that loses nothing, as a pair.
struct PairSum {
  float high;
  float low;

  // Where the sum is infinite or NaN, `low` is NaN.
  __device__ double value() const { return is_finite(high) ? static_cast<double>(high) + low : high; }
};

__device__ inline PairSum joined(const PairSum& a, const PairSum& b) {
  const float sum = a.high + b.high;
  const float of_b = sum - a.high;
  const float rest = (a.high - (sum - of_b)) + (b.high - of_b);  // exact: Knuth's two-sum
  return {sum, (a.low + b.low) + rest};
}
__device__ inline PairSum shuffled(const PairSum& sum, int distance) {
  return {shuffled(sum.high, distance), shuffled(sum.low, distance)};
}

// Terms, and beside them terms below 2^-100, which are kept 2^128 times as large: f32 would lose them too early.
struct Sums {
  PairSum terms;
  PairSum small_terms;
};

__device__ inline Sums shuffled(const Sums& sums, int distance) {
  return {shuffled(sums.terms, distance), shuffled(sums.small_terms, distance)};
}

struct GatherSquares {
  using Value = Sums;
  __device__ static Value neutral() { return {}; }
  __device__ static void add(Value& value, float x) {
    const bool small = fabsf(x) < 0x1p-50f;
    const float root = small ? x * 0x1p64f : x;
    const float square = root * root;
    value = {joined(value.terms, {small ? 0.0f : square, 0.0f}),
             joined(value.small_terms, {small ? square : 0.0f, 0.0f})};
  }
  __device__ Value operator()(const Value& a, const Value& b) const {
    return {joined(a.terms, b.terms), joined(a.small_terms, b.small_terms)};
  }
  __device__ static double part_of(const Value& value) {
    return value.terms.value() + value.small_terms.value() * 0x1p-128;
  }
};

struct GatherMagnitudes {
  using Value = PairSum;
  __device__ static Value neutral() { return {}; }
  __device__ static void add(Value& value, float x) { value = joined(value, {fabsf(x), 0.0f}); }
  __device__ Value operator()(const Value& a, const Value& b) const { return joined(a, b); }
  __device__ static double part_of(const Value& value) { return value.value(); }
};

// Any other order, which is rare: a power of f32's is neither accurate enough nor wide enough, so this one pays for
// f64 in its loop.
struct GatherPowers {
  using Value = double;
  double p;
  __device__ static Value neutral() { return 0.0; }
  __device__ void add(Value& value, float x) const { value += pow(fabs(static_cast<double>(x)), p); }
  __device__ Value operator()(Value a, Value b) const { return a + b; }
  __device__ static double part_of(Value value) { return value; }
};

struct GatherNonzero {
  using Value = std::uint32_t;
  __device__ static Value neutral() { return 0; }
  __device__ static void add(Value& value, float x) { value += x != 0.0f ? 1 : 0; }
  __device__ Value operator()(Value a, Value b) const { return a + b; }
  __device__ static double part_of(Value value) { return value; }
};

// Magnitudes as the integers that order like them. NaN is above infinity; below, NaN is 0 and all else one more.
struct GatherLargest {
  using Value = std::uint32_t;
  __device__ static Value neutral() { return 0; }
  __device__ static void add(Value& value, float x) { value = GatherLargest{}(value, bits_of(x) & 0x7FFFFFFFu); }
  __device__ Value operator()(Value a, Value b) const { return a < b ? b : a; }
  __device__ static double part_of(Value value) { return float_of(value); }
};

struct GatherSmallest {
  using Value = std::uint32_t;
  __device__ static Value neutral() { return 0x7F800001u; }
  __device__ static void add(Value& value, float x) {
    const std::uint32_t magnitude = bits_of(x) & 0x7FFFFFFFu;
    value = GatherSmallest{}(value, is_nan_bits(magnitude) ? 0 : magnitude + 1);
  }
  __device__ Value operator()(Value a, Value b) const { return b < a ? b : a; }
  __device__ static double part_of(Value value) { return value == 0 ? NAN : float_of(value - 1); }
};

}  // namespace amphora::cuda
