// Numbers of about 48 bits as the sum (x + y) of two f32, y at most half a unit of x's last place.
//
// The sequences are Knuth's and Dekker's; `precise` keeps compilers from simplifying them away.
#ifndef PAIRS_GLSL
#define PAIRS_GLSL

#include "io.glsl"

vec2 fast_two_sum(float a, float b) {  // exact where |a| >= |b|
  precise float sum = a + b;
  precise float rest = b - (sum - a);
  return vec2(sum, rest);
}

vec2 two_sum(float a, float b) {  // exact
  precise float sum = a + b;
  precise float of_b = sum - a;
  precise float rest = (a - (sum - of_b)) + (b - of_b);
  return vec2(sum, rest);
}

// Exact while the product of the low halves stays normal. Each half of 12 bits multiplies without rounding (Dekker).
vec2 two_product(float a, float b) {
  const float a_high = uintBitsToFloat(floatBitsToUint(a) & 0xFFFFF000u);
  const float b_high = uintBitsToFloat(floatBitsToUint(b) & 0xFFFFF000u);
  precise float a_low = a - a_high;
  precise float b_low = b - b_high;
  precise float product = a * b;
  precise float rest = (((a_high * b_high - product) + a_high * b_low) + a_low * b_high) + a_low * b_low;
  return vec2(product, rest);
}

vec2 product_of_pairs(vec2 a, vec2 b) {
  const vec2 leading = two_product(a.x, b.x);
  precise float rest = leading.y + (a.x * b.y + a.y * b.x);
  return fast_two_sum(leading.x, rest);
}

// a * b + c: x is that, rounded as if once (but for ties that further digits would break), y has the sign of the rest.
vec2 fused_pair(float a, float b, float c) {
  const vec2 product = two_product(a, b);
  const vec2 sum = two_sum(product.x, c);
  if (!is_finite(sum.x)) return vec2(sum.x, 0.0);
  precise float rest = sum.y + product.y;
  return two_sum(sum.x, rest);
}

float fused(float a, float b, float c) { return fused_pair(a, b, c).x; }

// The neighbour of a pair's number whose last bit is set, unless x is all of it: rounding that to 16 bits gives what
// rounding the pair once would.
float rounded_to_odd(vec2 pair) {
  const uint bits = floatBitsToUint(pair.x);
  if (pair.y == 0.0 || (bits & 1u) != 0) return pair.x;
  const bool away = (pair.y > 0.0) == (pair.x > 0.0);
  return uintBitsToFloat(away ? bits + 1u : bits - 1u);
}

#endif
