// Sine and cosine in f32 for all arguments. The errors are as in math.glsl.
#ifndef TRIGONOMETRY_GLSL
#define TRIGONOMETRY_GLSL

#include "math.glsl"

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

// sin, to 1.52 units.
float sine(float x) {
  if (!is_finite(x)) return kNaN;
  if (abs(x) < 0.000244) return x;  // keeps -0
  const float result = sine_of_quarters(x, 0);
  return x < 0.0 ? -result : result;
}

// cos, to 1.52 units.
float cosine(float x) { return is_finite(x) ? sine_of_quarters(x, 1) : kNaN; }

#endif
