// Partial results of norms, and how they join. An infinite gradient makes a sum infinite; NaN wins everywhere.
#ifndef NORM_GLSL
#define NORM_GLSL

#include "math.glsl"
#include "workgroup.glsl"

// What is gathered, by order: as enum Gather in backends/vulkan/gradient.cpp.
const uint kSquares = 0;     // 2
const uint kMagnitudes = 1;  // 1
const uint kPowers = 2;      // others
const uint kNonzero = 3;     // 0
const uint kLargest = 4;     // infinity
const uint kSmallest = 5;    // -infinity
layout(constant_id = 17) const uint kGather = kSquares;

// Sums are two pairs of f32: xy of terms, zw of terms below 2^-100, which are kept 2^128 times as large; f32 would lose
// them too early. Counts, and magnitudes as the integers that order like them, take x alone.
#define Part uvec4
layout(buffer_reference, std430, buffer_reference_align = 16) buffer Parts { Part at[]; };

Part neutral() { return Part(kGather == kSmallest ? 0xFFFFFFFFu : 0u); }

vec2 sum_of_pairs(vec2 a, vec2 b) {
  const vec2 leading = two_sum(a.x, b.x);
  precise float rest = (a.y + b.y) + leading.y;
  return vec2(leading.x, rest);
}

Part join(Part a, Part b) {
  switch (kGather) {
    case kNonzero: return a + b;
    case kLargest: return max(a, b);
    case kSmallest: return min(a, b);
    default: break;
  }
  const vec4 x = uintBitsToFloat(a);
  const vec4 y = uintBitsToFloat(b);
  return floatBitsToUint(vec4(sum_of_pairs(x.xy, y.xy), sum_of_pairs(x.zw, y.zw)));
}

// What one element contributes.
Part part_of(float x, float p) {
  const uint magnitude = floatBitsToUint(x) & 0x7FFFFFFFu;
  precise float term = 0.0;
  precise float small_term = 0.0;
  switch (kGather) {
    case kNonzero: return Part(magnitude != 0 ? 1u : 0u, 0, 0, 0);
    case kLargest: return Part(magnitude, 0, 0, 0);  // NaN is above infinity
    case kSmallest: return Part(is_nan_bits(magnitude) ? 0u : magnitude + 1u, 0, 0, 0);
    case kMagnitudes: term = uintBitsToFloat(magnitude); break;
    case kSquares: {
      const bool small = magnitude < floatBitsToUint(8.8817842e-16);  // 2^-50
      precise float root = x * (small ? 18446744073709551616.0 : 1.0);  // 2^64
      term = small ? 0.0 : root * root;
      small_term = small ? root * root : 0.0;
      break;
    }
    case kPowers: {
      int n;
      const float digits = power_digits(magnitude, vec2(p, 0.0), n);
      if (n < -100) {
        small_term = scaled(digits, n + 128);
      } else {
        term = n == 0 ? digits : scaled(digits, n);
      }
      break;
    }
  }
  return floatBitsToUint(vec4(term, 0.0, small_term, 0.0));
}

LANES_REDUCTION(Part, joined_parts, join)

// The f32 nearest to a sum; beyond the largest it is infinite on every backend.
float rounded_sum(Part part) {
  const vec4 sums = uintBitsToFloat(part);
  if (!is_finite(sums.x)) return sums.x;
  precise float small_sum = sums.z + sums.w;
  if (small_sum > 0.0) small_sum = scaled(small_sum, -128);
  precise float sum = sums.x + (sums.y + small_sum);
  return sums.x == 0.0 ? small_sum : sum;
}

// The norm of all that `part` stands for and of an older norm.
float norm_of(Part part, float old, float p, vec2 inverse) {
  if (kGather == kNonzero) {
    precise float count = old + int_to_float(int(part.x));
    return count;
  }
  part = join(part, part_of(old, p));
  switch (kGather) {
    case kLargest: return is_nan_bits(part.x) ? kNaN : uintBitsToFloat(part.x);
    case kSmallest: return part.x == 0 ? kNaN : uintBitsToFloat(part.x - 1u);
    case kMagnitudes: return rounded_sum(part);
    case kSquares: return square_root(rounded_sum(part));
    default: return power_of_magnitude(floatBitsToUint(rounded_sum(part)), inverse);
  }
}

#endif
