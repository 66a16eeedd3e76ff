// Strided index spaces, last axis fastest. The host merges axes and says what the operands look like, see strided.h.
#ifndef STRIDED_GLSL
#define STRIDED_GLSL

#include "quads.glsl"

// kLayout's bit 0: four neighbours of the last axis are neighbours in every operand; bit 1 + k: operand k repeats one
// element along it.
layout(constant_id = 17) const uint kRank = 1;  // 1 to 5

bool repeats(uint operand) { return (kLayout & (2u << operand)) != 0; }

// Where element n of a space lies in an operand.
uint offset_of(uint n, int sizes[5], int strides[5]) {
  uint offset = 0;
  [[unroll]] for (int axis = int(kRank) - 1; axis > 0; --axis) {
    const uint next = n / uint(sizes[axis]);
    offset += (n - next * uint(sizes[axis])) * uint(strides[axis]);
    n = next;
  }
  return offset + n * uint(strides[0]);
}

// Elements 4 quad to 4 quad + 3 of a space of `count`, as operand `operand` stores them.
uvec4 load_stored_strided(uint operand, uint type, uvec2 address, int sizes[5], int strides[5], uint quad, uint count) {
  if (is_wide(quad, count)) {
    const uint offset = offset_of(4 * quad, sizes, strides);
    return repeats(operand) ? uvec4(load_stored(type, address, offset)) : load_stored4(type, address, offset / 4);
  }
  uvec4 stored = uvec4(0);
  for (uint k = 0; k < 4; ++k) {
    const uint n = 4 * quad + k;
    if (n < count) stored[k] = load_stored(type, address, offset_of(n, sizes, strides));
  }
  return stored;
}

vec4 load_strided(uint operand, uint type, uvec2 address, int sizes[5], int strides[5], uint quad, uint count) {
  return uintBitsToFloat(
      widen4(type, load_stored_strided(operand, type, address, sizes, strides, quad, count)));
}

void store_stored_strided(uint type, uvec2 address, int sizes[5], int strides[5], uint quad, uint count,
                          uvec4 stored) {
  if (is_wide(quad, count)) {
    store_stored4(type, address, offset_of(4 * quad, sizes, strides) / 4, stored);
  } else {
    for (uint k = 0; k < 4; ++k) {
      const uint n = 4 * quad + k;
      if (n < count) store_stored(type, address, offset_of(n, sizes, strides), stored[k]);
    }
  }
}

#endif
