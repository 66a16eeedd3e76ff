// Strided index spaces, last axis fastest. The host merges axes and says what the operands look like, see strided.h.
#ifndef STRIDED_GLSL
#define STRIDED_GLSL

#include "io.glsl"

layout(constant_id = 8) const uint kLayout = 0;  // bit 0: four elements at a time; bit 1 + k: operand k repeats there
layout(constant_id = 9) const uint kRank = 1;    // 1 to 5

bool by_fours() { return (kLayout & 1u) != 0; }
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

// The four elements from `offset` on along the last axis.
uvec4 load_stored4_at(uint operand, uint type, uvec2 address, uint offset) {
  return repeats(operand) ? uvec4(load_stored(type, address, offset)) : load_stored4(type, address, offset / 4);
}

vec4 load4_at(uint operand, uint type, uvec2 address, uint offset) {
  return uintBitsToFloat(widen4(type, load_stored4_at(operand, type, address, offset)));
}

#endif
