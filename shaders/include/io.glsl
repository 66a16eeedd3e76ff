// Elements of every type behind one interface, one at a time or four.
//
// `bits` are those of an f32: nothing but bits moves where a NaN must keep its payload. Rounding to 16 bits is to
// nearest, ties to even, with the results of core/dtype.h. The type is a specialization constant wherever it matters,
// so that a driver keeps one branch.
#ifndef IO_GLSL
#define IO_GLSL

#include "module.glsl"

// As enum DType.
const uint kF32 = 0;
const uint kF16 = 1;
const uint kBF16 = 2;
const uint kI32 = 3;

layout(buffer_reference, std430, buffer_reference_align = 4) buffer Words { uint at[]; };
layout(buffer_reference, std430, buffer_reference_align = 16) buffer WordQuads { uvec4 at[]; };
layout(buffer_reference, std430, buffer_reference_align = 2) buffer Halves { uint16_t at[]; };
layout(buffer_reference, std430, buffer_reference_align = 8) buffer HalfQuads { uvec2 at[]; };

bool is_half(uint type) { return type == kF16 || type == kBF16; }

// --- f16 and bf16 ---

bool is_nan_bits(uint bits) { return (bits & 0x7FFFFFFFu) > 0x7F800000u; }
bool is_nan(float x) { return is_nan_bits(floatBitsToUint(x)); }
// abs, but subnormals stay on drivers that flush them.
float without_sign(float x) { return uintBitsToFloat(floatBitsToUint(x) & 0x7FFFFFFFu); }
bool is_finite(float x) { return (floatBitsToUint(x) & 0x7F800000u) != 0x7F800000u; }

// A NaN takes the integer way, which keeps its payload's top bits and makes it quiet.
uint f16_to_bits(uint half_bits) {
  const uint magnitude = half_bits & 0x7FFFu;
  const uint sign = (half_bits & 0x8000u) << 16;
  if (magnitude > 0x7C00u) return sign | 0x7FC00000u | (magnitude << 13);
  if (kHardwareF16) return floatBitsToUint(unpackHalf2x16(half_bits).x);
  if (magnitude == 0x7C00u) return sign | 0x7F800000u;
  // A subnormal is an integer times 2^-24, an exact product of normal numbers.
  if (magnitude < 0x400u) return sign | floatBitsToUint(float(magnitude) * uintBitsToFloat(0x33800000u));
  return sign | ((magnitude << 13) + (112u << 23));
}

uint bits_to_f16(uint bits) {
  const uint magnitude = bits & 0x7FFFFFFFu;
  const uint sign = (bits >> 16) & 0x8000u;
  if (magnitude > 0x7F800000u) return sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu);
  if (kHardwareF16) return packHalf2x16(vec2(uintBitsToFloat(bits), 0.0)) & 0xFFFFu;
  if (magnitude >= (143u << 23)) return sign | 0x7C00u;
  if (magnitude >= (113u << 23)) {
    // Rebias the exponent and round 13 bits away; a carry into the exponent is right, up to infinity.
    return sign | ((magnitude - (112u << 23) + 0xFFFu + ((magnitude >> 13) & 1u)) >> 13);
  }
  // A subnormal: the significand in units of 2^-24. Beyond 25 places it lies below half of the smallest.
  const uint places = min(126u - (magnitude >> 23), 25u);
  const uint significand = (magnitude & 0x7FFFFFu) | (magnitude < 0x800000u ? 0u : 0x800000u);
  const uint kept = significand >> places;
  return sign | (kept + ((significand & ((1u << places) - 1u)) + (kept & 1u) > (1u << (places - 1u)) ? 1u : 0u));
}

uint bits_to_bf16(uint bits) {
  if (is_nan_bits(bits)) return (bits >> 16) | 0x40u;
  return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

// --- i32 ---

// Each half is exact as an f32, so their sum is the one rounding, to nearest.
float int_to_float(int value) {
  precise float sum = float(value >> 16) * 65536.0 + float(value & 0xFFFF);
  return sum;
}

// For rounding to 16 bits: the f32 below in magnitude, its last bit set where digits were lost. A second rounding
// then gives what a single one would.
uint int_to_odd_bits(int value) {
  const uint magnitude = value < 0 ? 0u - uint(value) : uint(value);
  const int places = max(findMSB(magnitude) - 23, 0);
  const uint kept = magnitude >> places;
  const uint lost = (kept << places) != magnitude ? 1u : 0u;
  // A product with a power of two is exact.
  const float result = float(kept | lost) * float(1u << places);
  return floatBitsToUint(value < 0 ? -result : result);
}

// Saturates; NaN becomes 0.
int float_to_int(float value) {
  if (is_nan(value)) return 0;
  if (value >= 2147483648.0) return 0x7FFFFFFF;
  if (value <= -2147483648.0) return int(0x80000000u);
  return int(value);
}

// --- storage and bits ---

// The f32 bits of what is stored as `type`, and back, rounded once.
uint widen(uint type, uint stored) {
  switch (type) {
    case kF16: return f16_to_bits(stored);
    case kBF16: return stored << 16;
    case kI32: return floatBitsToUint(int_to_float(int(stored)));
    default: return stored;
  }
}

uint narrow(uint type, uint bits) {
  switch (type) {
    case kF16: return bits_to_f16(bits);
    case kBF16: return bits_to_bf16(bits);
    case kI32: return uint(float_to_int(uintBitsToFloat(bits)));
    default: return bits;
  }
}

uvec4 widen4(uint type, uvec4 stored) {
  return uvec4(widen(type, stored.x), widen(type, stored.y), widen(type, stored.z), widen(type, stored.w));
}

uvec4 narrow4(uint type, uvec4 bits) {
  return uvec4(narrow(type, bits.x), narrow(type, bits.y), narrow(type, bits.z), narrow(type, bits.w));
}

// --- addresses ---

uvec2 add64(uvec2 a, uvec2 b) {
  uint carry;
  const uint low = uaddCarry(a.x, b.x, carry);
  return uvec2(low, a.y + b.y + carry);
}

uvec2 multiply64(uint a, uint b) {
  uint high, low;
  umulExtended(a, b, high, low);
  return uvec2(low, high);
}

uint log2_size(uint type) { return is_half(type) ? 1 : 2; }

// `address` moved on by `rows` rows of `stride` elements, and `columns` elements.
uvec2 element_address(uint type, uvec2 address, uint rows, uint stride, uint columns) {
  const uvec2 count = add64(multiply64(rows, stride), uvec2(columns, 0));
  const uint shift = log2_size(type);
  return add64(address, uvec2(count.x << shift, (count.y << shift) | (count.x >> (32 - shift))));
}

// Drivers may index in 32 bits, by bytes and with a sign. What lies farther is addressed: the index is then 0.
#define NEAR(type, address, i, elements)                            \
  if (kFar) {                                                       \
    address = element_address(type, address, (i), (elements), 0);   \
    i = 0;                                                          \
  }

// --- element i ---

uint load_stored(uint type, uvec2 address, uint i) {
  NEAR(type, address, i, 1)
  return is_half(type) ? uint(Halves(address).at[i]) : Words(address).at[i];
}

void store_stored(uint type, uvec2 address, uint i, uint stored) {
  NEAR(type, address, i, 1)
  if (is_half(type)) {
    Halves(address).at[i] = uint16_t(stored);
  } else {
    Words(address).at[i] = stored;
  }
}

float load(uint type, uvec2 address, uint i) {
  return uintBitsToFloat(widen(type, load_stored(type, address, i)));
}

void store(uint type, uvec2 address, uint i, float value) {
  store_stored(type, address, i, narrow(type, floatBitsToUint(value)));
}

// --- elements 4 quad to 4 quad + 3; the address is aligned to four elements ---

uvec4 load_stored4(uint type, uvec2 address, uint quad) {
  NEAR(type, address, quad, 4)
  if (!is_half(type)) return WordQuads(address).at[quad];
  const uvec2 pairs = HalfQuads(address).at[quad];
  return uvec4(pairs.x & 0xFFFFu, pairs.x >> 16, pairs.y & 0xFFFFu, pairs.y >> 16);
}

void store_stored4(uint type, uvec2 address, uint quad, uvec4 stored) {
  NEAR(type, address, quad, 4)
  if (is_half(type)) {
    HalfQuads(address).at[quad] = uvec2(stored.x | (stored.y << 16), stored.z | (stored.w << 16));
  } else {
    WordQuads(address).at[quad] = stored;
  }
}

vec4 load4(uint type, uvec2 address, uint quad) {
  return uintBitsToFloat(widen4(type, load_stored4(type, address, quad)));
}

void store4(uint type, uvec2 address, uint quad, vec4 value) {
  store_stored4(type, address, quad, narrow4(type, floatBitsToUint(value)));
}

#endif
