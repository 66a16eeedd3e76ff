// Powers of numbers below 1 in units of 2^-64, as (high, low) words: what takes f64 on the host.
//
// A product is cut off below 2^-64, so decay^step by squaring is low by at most about step * 2^-64, and 1 - decay^step,
// which is at least 1 - decay, is right to 2^-50 for any decay up to 1 - 2^-14: its f32 is that of f64 arithmetic, but
// for a tie that lies that close.
#ifndef FIXED_POINT_GLSL
#define FIXED_POINT_GLSL

#include "exact.glsl"

uvec2 fixed_product(uvec2 a, uvec2 b) {
  uint high, high_low, first, first_low, second, second_low, third, unused;
  umulExtended(a.x, b.x, high, high_low);
  umulExtended(a.x, b.y, first, first_low);
  umulExtended(a.y, b.x, second, second_low);
  umulExtended(a.y, b.y, third, unused);
  uint carry, carries;
  uint below = uaddCarry(third, first_low, carries);
  below = uaddCarry(below, second_low, carry);
  carries += carry;
  uint low = uaddCarry(high_low, carries, carry);
  high += carry;
  low = uaddCarry(low, first, carry);
  high += carry;
  low = uaddCarry(low, second, carry);
  return uvec2(high + carry, low);
}

uvec2 fixed_power(uvec2 base, int exponent) {
  uvec2 power = base;
  bool started = false;
  for (uint rest = uint(exponent); rest != 0; rest >>= 1) {
    if ((rest & 1u) != 0) {
      power = started ? fixed_product(power, base) : base;
      started = true;
    }
    base = fixed_product(base, base);
  }
  return power;
}

// 1 - x as a number with its first digit at the top, times 2^-zeros; 0 stands for 1.
uvec2 normalised_complement(uvec2 x, out int zeros) {
  uvec2 rest = uvec2(~x.x, ~x.y + 1u);
  if (rest.y == 0) ++rest.x;
  zeros = 0;
  if (rest.x == 0 && rest.y != 0) {
    rest = uvec2(rest.y, 0);
    zeros = 32;
  }
  if (rest.x == 0) return rest;
  const int places = 31 - findMSB(rest.x);
  zeros += places;
  // A shift by 32 is undefined, hence two.
  return uvec2((rest.x << places) | ((rest.y >> 1) >> (31 - places)), rest.y << places);
}

// The f32 nearest to 1 - x.
float rounded_complement(uvec2 x) {
  int zeros;
  const uvec2 rest = normalised_complement(x, zeros);
  if (rest.x == 0) return 1.0;
  return uintBitsToFloat(rounded_bits(rest.x >> 7, ((rest.x & 127u) | rest.y) != 0, 126 - zeros));
}

// The f32 nearest to sqrt(1 - x): the root of the first 49 or 50 digits has 25.
float root_of_complement(uvec2 x) {
  int zeros;
  uvec2 rest = normalised_complement(x, zeros);
  if (rest.x == 0) return 1.0;
  if ((zeros & 1) != 0) {
    // An even power of 2 has a root.
    rest = uvec2(rest.x >> 1, (rest.x << 31) | (rest.y >> 1));
    --zeros;
  }
  bool more;
  const uint estimate = uint(sqrt(float(rest.x)) * 512.0);
  const uint root = floor_root(estimate, (rest.x << 18) | (rest.y >> 14), more);
  return uintBitsToFloat(rounded_bits(root, more || (rest.y & 0x3FFFu) != 0, 126 - zeros / 2));
}

#endif
