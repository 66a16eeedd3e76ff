// Division, square root and product, correctly rounded on every driver, subnormals included.
//
// Vulkan lets a driver's quotient be off by 2.5 and its root by about 3 units in the last place, and subnormals be
// flushed. The driver's results serve as an estimate here: integers find the exact 25 digits, and round them once.
#ifndef EXACT_GLSL
#define EXACT_GLSL

// The f32 (bits, without a sign) nearest to digits * 2^(exponent - 151), for digits of 25 bits; `more` says that the
// true number lies above that, by less than one unit of digits.
uint rounded_bits(uint digits, bool more, int exponent) {
  if (exponent >= 255) return 0x7F800000u;
  // A subnormal loses one digit for every step below exponent 1.
  const int places = exponent >= 1 ? 1 : min(2 - exponent, 26);
  const uint kept = digits >> places;
  const uint rest = digits & ((1u << places) - 1u);
  const uint tie = 1u << (places - 1);
  const bool up = rest > tie || (rest == tie && (more || (kept & 1u) != 0));
  // A carry out of the digits is right, up to infinity.
  return (exponent >= 1 ? uint(exponent - 1) << 23 : 0u) + kept + (up ? 1u : 0u);
}

// The exponent field of a positive number, below 1 for a subnormal, and its significand of 24 bits.
int split(uint magnitude, out uint significand) {
  if (magnitude >= 0x800000u) {
    significand = (magnitude & 0x7FFFFFu) | 0x800000u;
    return int(magnitude >> 23);
  }
  const int places = 23 - findMSB(magnitude);
  significand = magnitude << places;
  return 1 - places;
}

float quotient(float a, float b) {
  const uint sign = (floatBitsToUint(a) ^ floatBitsToUint(b)) & 0x80000000u;
  const uint dividend = floatBitsToUint(a) & 0x7FFFFFFFu;
  const uint divisor = floatBitsToUint(b) & 0x7FFFFFFFu;
  const uint kInf = 0x7F800000u;
  if (dividend > kInf || divisor > kInf || (dividend == 0 && divisor == 0) || (dividend == kInf && divisor == kInf)) {
    return uintBitsToFloat(0x7FC00000u);
  }
  if (dividend == kInf || divisor == 0) return uintBitsToFloat(sign | kInf);
  if (dividend == 0 || divisor == kInf) return uintBitsToFloat(sign);

  uint numerator, denominator;
  int exponent = split(dividend, numerator);
  exponent -= split(divisor, denominator);
  if (numerator < denominator) {
    numerator <<= 1;
    --exponent;
  }
  // digits = floor(2^24 numerator / denominator). The remainder is small, so 32 bits hold it whatever wraps around.
  const float divided = float(denominator);
  uint digits = uint(float(numerator) / divided * 16777216.0);
  int rest = int((numerator << 24) - digits * denominator);
  const int step = int(floor(float(rest) / divided));
  digits += uint(step);
  rest -= step * int(denominator);
  if (rest < 0) {
    --digits;
    rest += int(denominator);
  } else if (rest >= int(denominator)) {
    ++digits;
    rest -= int(denominator);
  }
  return uintBitsToFloat(sign | rounded_bits(digits, rest != 0, exponent + 127));
}

// a * b of numbers that are finite and not negative.
float exact_product(float a, float b) {
  if (floatBitsToUint(a) == 0 || floatBitsToUint(b) == 0) return 0.0;
  uint first, second, high, low;
  int exponent = split(floatBitsToUint(a), first);
  exponent += split(floatBitsToUint(b), second);
  umulExtended(first, second, high, low);  // 47 or 48 digits
  const int places = findMSB(high) + 8;
  const uint digits = (high << (32 - places)) | (low >> places);
  return uintBitsToFloat(rounded_bits(digits, (low & ((1u << places) - 1u)) != 0, exponent + places - 149));
}

// floor(sqrt(n)) for n of 49 or 50 bits, of which `low` are the last 32, from an estimate that is off by at most 2^5.
uint floor_root(uint estimate, uint low, out bool more) {
  uint root = estimate;
  int rest = int(low - root * root);
  root += uint(int(floor(float(rest) / float(2u * root))));
  rest = int(low - root * root);
  if (rest < 0) {
    --root;
    rest += int(2u * root + 1u);
  } else if (rest > int(2u * root)) {
    rest -= int(2u * root + 1u);
    ++root;
  }
  more = rest != 0;
  return root;
}

float square_root(float x) {
  const uint bits = floatBitsToUint(x);
  if ((bits & 0x7FFFFFFFu) == 0 || bits == 0x7F800000u) return x;
  if (bits > 0x7F800000u) return uintBitsToFloat(0x7FC00000u);
  uint significand;
  int exponent = split(bits, significand) - 127;
  if ((exponent & 1) != 0) {
    significand <<= 1;
    --exponent;
  }
  bool more;
  const uint estimate = uint(sqrt(float(significand) * 2.0) * 4096.0);
  const uint root = floor_root(estimate, significand << 25, more);
  return uintBitsToFloat(rounded_bits(root, more, exponent / 2 + 127));
}

#endif
