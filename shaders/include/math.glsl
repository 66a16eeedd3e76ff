// The functions of kernel/shared/pointwise.def in f32, from products and sums that every driver rounds correctly.
//
// Each comment gives the largest error in units in the last place of the true result: measured over all f32 inputs, for
// pow over every 61st and a dozen exponents. It is the same on every driver: a driver's own division, which may be
// inexact, enters small corrections alone.
// `precise` keeps compilers from regrouping. NaN gives NaN unless said otherwise.
#ifndef MATH_GLSL
#define MATH_GLSL

#include "exact.glsl"
#include "io.glsl"
#include "pairs.glsl"

#define kInfinity uintBitsToFloat(0x7F800000u)
#define kNaN uintBitsToFloat(0x7FC00000u)

// --- powers ---

float power_of_2(int n) { return uintBitsToFloat(uint(n + 127) << 23); }  // -126 to 127

// x * 2^n for positive x, not subnormal, and |n| <= 200; rounded once, also where a driver flushes subnormals.
float scaled(float x, int n) {
  const uint bits = floatBitsToUint(x);
  const int exponent = int(bits >> 23) + n;
  const uint digits = ((bits & 0x7FFFFFu) | 0x800000u) << 1;
  if (exponent < 1) return uintBitsToFloat(rounded_bits(digits, false, exponent));
  return exponent < 255 ? uintBitsToFloat(bits + (uint(n) << 23)) : kInfinity;
}

// (exp(r) - 1 - r) / r^2 for |r| <= 0.347, to 2^-34 of exp.
float exponential_tail(float r) {
  precise float p = 0.000199185248;
  p = p * r + 0.0013946176;
  p = p * r + 0.00833326392;
  p = p * r + 0.0416662693;
  p = p * r + 0.166666672;
  p = p * r + 0.5;
  return p;
}

// x + rest = n ln 2 + r.x + r.y; returns n. The first factor of ln 2 has 9 bits, so that its multiples are exact.
int reduced_exponent(float x, float rest, out vec2 r) {
  precise float turns = x * 1.44269502 + 0.5;
  precise float n = floor(turns);
  precise float leading = x - n * 0.693359375;
  precise float trailing = n * -0.000212194442;
  precise float rounded = leading - trailing;
  precise float lost = ((leading - rounded) - trailing) + rest;
  r = two_sum(rounded, lost);
  return int(n);
}

// exp(x + rest) = result * 2^n for |x| <= 110 and a rest that is small beside 1.
float exponential_digits(float x, float rest, out int n) {
  vec2 r;
  n = reduced_exponent(x, rest, r);
  precise float result = 1.0 + (r.x + (r.y + r.x * r.x * exponential_tail(r.x)));
  return result;
}

// exp, to 0.89 units.
float exponential(float x) {
  if (is_nan(x)) return x;
  int n;
  const float digits = exponential_digits(clamp(x, -105.0, 105.0), 0.0, n);
  return scaled(digits, n);
}

// exp(x) - 1, to 1.06 units.
float exponential_minus_1(float x) {
  const float size = abs(x);
  if (is_nan(x) || size < 2.98023224e-8) return x;  // keeps -0
  vec2 r;
  // Below -17.4 the result is -1.
  const int n = reduced_exponent(clamp(x, -17.4, 105.0), 0.0, r);
  precise float tail = r.y + r.x * r.x * exponential_tail(r.x);
  // 2^n ((1 - 2^-n) + expm1(r)); the first difference is exact where it matters.
  precise float one = n == 0 ? 0.0 : n < 64 ? 1.0 - power_of_2(-n) : 1.0;
  const vec2 sum = two_sum(one, r.x);
  precise float result = sum.x + (sum.y + tail);
  result = result * power_of_2(n / 2) * power_of_2(n - n / 2);
  return result;
}

// --- logarithms ---

// A positive number below infinity as 2^n m with m in [0.707, 1.414].
int split_near_1(uint bits, out float m) {
  int n = 0;
  if (bits < 0x800000u) {  // subnormal: an integer times 2^-149
    bits = floatBitsToUint(float(bits));
    n = -149;
  }
  bits += 0x3F800000u - 0x3F3504F3u;
  n += int(bits >> 23) - 127;
  m = uintBitsToFloat((bits & 0x7FFFFFu) + 0x3F3504F3u);
  return n;
}

// log(1 + f) - f + f^2 / 2 for f in [-0.293, 0.415], to 2^-30 of log(1 + f).
float logarithm_tail(float f) {
  precise float p = 0.0674664452;
  p = p * f - 0.11675664;
  p = p * f + 0.118881673;
  p = p * f - 0.124055877;
  p = p * f + 0.142195523;
  p = p * f - 0.166679963;
  p = p * f + 0.200021192;
  p = p * f - 0.250000089;
  p = p * f + 0.333333135;
  p = p * f * f * f;
  return p;
}

// n ln 2 + log(1 + f) + rest.
float logarithm_of_parts(int n, float f, float rest) {
  precise float k = float(n);
  precise float small = (k * -0.000212194442 + rest) + (logarithm_tail(f) - 0.5 * f * f);
  precise float result = k * 0.693359375 + (f + small);
  return result;
}

// log, to 0.89 units.
float logarithm(float x) {
  const uint bits = floatBitsToUint(x);
  if ((bits & 0x7FFFFFFFu) == 0) return -kInfinity;
  if (bits > 0x7F800000u) return kNaN;  // negative, or NaN
  if (bits == 0x7F800000u) return x;
  float m;
  const int n = split_near_1(bits, m);
  precise float f = m - 1.0;
  return logarithm_of_parts(n, f, 0.0);
}

// log(1 + x), to 0.90 units.
float logarithm_of_1_plus(float x) {
  if (abs(x) < 2.98023224e-8) return x;  // keeps -0
  if (x > -0.292893 && x < 0.41421354) return logarithm_of_parts(0, x, 0.0);
  const vec2 sum = two_sum(1.0, x);
  const uint bits = floatBitsToUint(sum.x);
  if (sum.x == 0.0) return -kInfinity;
  if (bits >= 0x7F800000u) return bits == 0x7F800000u ? sum.x : kNaN;
  float m;
  const int n = split_near_1(bits, m);
  precise float f = m - 1.0;
  precise float rest = sum.y / sum.x;  // what 1 + x rounded away, relative to it
  return logarithm_of_parts(n, f, rest);
}

// log of a positive number as a pair, to 2^-35 of it: 2 atanh(s) with s = f / (2 + f).
vec2 logarithm_pair(uint bits) {
  float m;
  const int n = split_near_1(bits, m);
  precise float f = m - 1.0;
  const vec2 divisor = fast_two_sum(2.0, f);
  precise float s = f / divisor.x;
  const vec2 product = two_product(s, divisor.x);
  precise float rest = (((f - product.x) - product.y) - s * divisor.y) / divisor.x;
  const vec2 ratio = fast_two_sum(s, rest);
  const vec2 square = product_of_pairs(ratio, ratio);
  precise float z = square.x;
  precise float tail = 0.0973396837;
  tail = tail * z + 0.110925041;
  tail = tail * z + 0.14285937;
  tail = tail * z + 0.199999988;
  tail = tail * z;
  // s + s z (1/3 + tail)
  const vec2 third = fast_two_sum(0.333333343, tail);
  precise float third_low = third.y - 9.93410776e-9;
  const vec2 cubic = product_of_pairs(product_of_pairs(square, vec2(third.x, third_low)), ratio);
  precise float k = float(n);
  const vec2 leading = two_sum(k * 0.693359375, 2.0 * ratio.x);
  const vec2 logs = two_sum(leading.x, 2.0 * cubic.x);
  // ln 2 - 0.693359375 as a pair, too.
  const vec2 k_low = two_product(k, -0.000212194442);
  const vec2 all = two_sum(logs.x, k_low.x);
  precise float low = ((leading.y + logs.y) + all.y) + (2.0 * (ratio.y + cubic.y) + (k_low.y + k * 1.64659497e-12));
  return fast_two_sum(all.x, low);
}

// x^p = result * 2^n for an x of these bits, without a sign, and for p as a pair.
float power_digits(uint x, vec2 p, out int n) {
  n = 0;
  if (is_nan_bits(x)) return kNaN;
  if (x == floatBitsToUint(1.0)) return 1.0;
  const bool ordinary = x != 0 && x < 0x7F800000u;
  const vec2 log_x = ordinary ? logarithm_pair(x) : vec2(x != 0 ? kInfinity : -kInfinity, 0.0);
  precise float rough = p.x * log_x.x;
  if (!(abs(rough) < 110.0)) return rough > 0.0 ? kInfinity : 0.0;
  const vec2 product = two_product(p.x, log_x.x);
  precise float rest = product.y + (p.x * log_x.y + p.y * log_x.x);
  return exponential_digits(product.x, rest, n);
}

float power_of_magnitude(uint x, vec2 p) {
  int n;
  const float digits = power_digits(x, p, n);
  return n == 0 ? digits : scaled(digits, n);
}

// x^p, to 0.89 units. The special cases are those of C's pow.
float power(float x, float p) {
  if (p == 0.0 || x == 1.0) return 1.0;
  if (is_nan(x) || is_nan(p)) return kNaN;
  const uint bits = floatBitsToUint(x);
  const uint size = bits & 0x7FFFFFFFu;
  const bool whole = floor(p) == p;
  // From 2^24 on every f32 is even.
  const bool odd = whole && abs(p) < 16777216.0 && (int(p) & 1) != 0;
  if (bits != size && !whole && size != 0 && size != 0x7F800000u) return kNaN;
  const float magnitude = power_of_magnitude(size, vec2(p, 0.0));
  return bits != size && odd ? -magnitude : magnitude;
}

// tanh, to 2.43 units.
float hyperbolic_tangent(float x) {
  const float size = abs(x);
  if (is_nan(x) || size < 0.000122) return x;
  if (size > 9.02) return x < 0.0 ? -1.0 : 1.0;
  precise float e = exponential_minus_1(2.0 * size);
  precise float sum = e + 2.0;
  const float result = quotient(e, sum);
  return x < 0.0 ? -result : result;
}

#endif
