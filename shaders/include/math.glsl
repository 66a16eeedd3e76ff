// The functions of kernel/shared/pointwise.def in f32, from products and sums that every driver rounds correctly.
//
// Each comment gives the largest error, measured over all f32 inputs, in units in the last place of the true result.
// `precise` keeps compilers from regrouping. NaN gives NaN unless said otherwise.
#ifndef MATH_GLSL
#define MATH_GLSL

#include "exact.glsl"
#include "io.glsl"

#define kInfinity uintBitsToFloat(0x7F800000u)
#define kNaN uintBitsToFloat(0x7FC00000u)

// --- pairs: numbers of about 48 bits as the sum (x + y) of two f32, y at most half a unit of x's last place ---

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

// a * b + c, rounded as if once (but for ties that two further digits would break).
float fused(float a, float b, float c) {
  const vec2 product = two_product(a, b);
  const vec2 sum = two_sum(product.x, c);
  precise float result = sum.x + (sum.y + product.y);
  return is_finite(sum.x) ? result : sum.x;
}

// --- powers ---

float power_of_2(int n) { return uintBitsToFloat(uint(n + 127) << 23); }  // -126 to 127

// x * 2^n for x from 0.5 to 2 and |n| <= 200, with one rounding, also where drivers flush subnormals.
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
  precise float n = floor(x * 1.44269502 + 0.5);
  precise float leading = x - n * 0.693359375;
  precise float trailing = n * -0.000212194442;
  precise float rounded = leading - trailing;
  precise float lost = (leading - rounded) - trailing;
  r = two_sum(rounded, lost + rest);
  return int(n);
}

// exp(x + rest) for |x| <= 110 and a rest that is small beside 1.
float exponential_of_sum(float x, float rest) {
  vec2 r;
  const int n = reduced_exponent(x, rest, r);
  precise float result = 1.0 + (r.x + (r.y + r.x * r.x * exponential_tail(r.x)));
  return scaled(result, n);
}

// EXP_ULP
float exponential(float x) {
  if (is_nan(x)) return x;
  return exponential_of_sum(clamp(x, -105.0, 105.0), 0.0);
}

// EXPM1_ULP
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

// LOG_ULP
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

// LOG1P_ULP
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

// log(x) as a pair, to 2^-36 of it: 2 atanh(s) with s = f / (2 + f).
vec2 logarithm_pair(float x) {
  float m;
  const int n = split_near_1(floatBitsToUint(x), m);
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

// POW_ULP. The special cases are those of C's pow.
float power(float x, float p) {
  if (p == 0.0 || x == 1.0) return 1.0;
  if (is_nan(x) || is_nan(p)) return kNaN;
  // Drivers that flush subnormals compare them as zeros, hence the bits.
  const uint bits = floatBitsToUint(x) & 0x7FFFFFFFu;
  const float size = uintBitsToFloat(bits);
  const bool ordinary = bits != 0 && bits < 0x7F800000u;
  const bool whole = floor(p) == p;
  // From 2^24 on every f32 is even.
  const bool odd = whole && abs(p) < 16777216.0 && (int(p) & 1) != 0;
  float magnitude = 1.0;
  if (size != 1.0) {
    const vec2 log_x = ordinary ? logarithm_pair(size) : vec2(bits != 0 ? kInfinity : -kInfinity, 0.0);
    precise float rough = p * log_x.x;
    if (abs(rough) < 110.0) {
      const vec2 product = two_product(p, log_x.x);
      precise float rest = product.y + p * log_x.y;
      magnitude = exponential_of_sum(product.x, rest);
    } else {
      magnitude = rough > 0.0 ? kInfinity : 0.0;
    }
  }
  const bool negative = (floatBitsToUint(x) & 0x80000000u) != 0;
  if (negative && ordinary && !whole) return kNaN;
  return negative && odd ? -magnitude : magnitude;
}

// TANH_ULP
float hyperbolic_tangent(float x) {
  const float size = abs(x);
  if (is_nan(x) || size < 0.000122) return x;
  if (size > 9.02) return x < 0.0 ? -1.0 : 1.0;
  precise float e = exponential_minus_1(2.0 * size);
  precise float sum = e + 2.0;
  const float result = quotient(e, sum);
  return x < 0.0 ? -result : result;
}

// --- sine and cosine ---

// Word `i` of 2 / pi after the point.
uint two_over_pi(int i) {
  if (i < 2) return i < 0 ? 0u : i == 0 ? 0xA2F9836Eu : 0x4E441529u;
  if (i < 4) return i == 2 ? 0xFC2757D1u : 0xF534DDC0u;
  return i == 4 ? 0xDB629599u : i == 5 ? 0x3C439041u : 0xFE5163ABu;
}

// |x| = quadrant pi / 2 + r for |x| from pi / 4 on, as an integer times 96 bits of 2 / pi (Payne and Hanek): the bits
// of more than two places before the point belong to whole turns, and those left out are below 2^-70.
float reduced_angle(uint magnitude, out uint quadrant) {
  const uint significand = (magnitude & 0x7FFFFFu) | 0x800000u;
  const int first = int(magnitude >> 23) - 152;  // the first bit of 2 / pi that matters
  const int word = first >> 5;
  const int bit = first & 31;
  uint window[4];
  [[unroll]] for (int i = 0; i < 4; ++i) window[i] = two_over_pi(word + i);
  [[unroll]] for (int i = 0; i < 3; ++i) {
    // A shift by 32 is undefined, hence two.
    window[i] = (window[i] << bit) | ((window[i + 1] >> 1) >> (31 - bit));
  }
  uint high, middle, low, carry;
  umulExtended(significand, window[2], carry, low);
  umulExtended(significand, window[1], high, middle);
  middle = uaddCarry(middle, carry, carry);
  high += carry + significand * window[0];
  quadrant = high >> 30;
  uint fraction = (high << 2) | (middle >> 30);
  uint fraction_low = (middle << 2) | (low >> 30);
  // Beyond a half the next quadrant is nearer.
  const bool beyond = (fraction & 0x80000000u) != 0;
  if (beyond) {
    ++quadrant;
    fraction = ~fraction;
    fraction_low = ~fraction_low;
  }
  int zeros = 31 - findMSB(fraction);
  if (fraction == 0) {
    fraction = fraction_low;
    fraction_low = 0;
    zeros = 63 - findMSB(fraction);
  }
  const int shift = zeros & 31;
  const uint digits = (fraction << shift) | ((fraction_low >> 1) >> (31 - shift));
  uint angle, unused;
  umulExtended(digits, 0xC90FDAA2u, angle, unused);  // times pi / 2
  precise float r = float(angle >> 16) * 65536.0 + float(angle & 0xFFFFu);
  r = r * power_of_2(-31 - zeros);
  return beyond ? -r : r;
}

float sine_of_reduced(float r) {
  precise float z = r * r;
  precise float p = 2.71830413e-6;
  p = p * z - 0.000198393347;
  p = p * z + 0.00833332911;
  p = p * z - 0.166666672;
  p = p * z * r + r;
  return p;
}

float cosine_of_reduced(float r) {
  precise float z = r * r;
  precise float p = 2.44383791e-5;
  p = p * z - 0.00138873665;
  p = p * z + 0.0416666456;
  p = (p * z - 0.5) * z + 1.0;
  return p;
}

// The sine of |x| + quarters * pi / 2.
float sine_of_quarters(float x, uint quarters) {
  const uint magnitude = floatBitsToUint(x) & 0x7FFFFFFFu;
  float r = uintBitsToFloat(magnitude);
  uint quadrant = 0;
  if (magnitude > 0x3F490FDAu) r = reduced_angle(magnitude, quadrant);
  quadrant += quarters;
  const float result = (quadrant & 1u) != 0 ? cosine_of_reduced(r) : sine_of_reduced(r);
  return (quadrant & 2u) != 0 ? -result : result;
}

// SIN_ULP
float sine(float x) {
  if (!is_finite(x)) return kNaN;
  if (abs(x) < 0.000244) return x;  // keeps -0
  const float result = sine_of_quarters(x, 0);
  return x < 0.0 ? -result : result;
}

// COS_ULP
float cosine(float x) { return is_finite(x) ? sine_of_quarters(x, 1) : kNaN; }

#endif
