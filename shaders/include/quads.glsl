// Loops in which an invocation takes four neighbours at a time: one wide access where the arrays are aligned to that.
#ifndef QUADS_GLSL
#define QUADS_GLSL

#include "io.glsl"

// Bit 0: the arrays are aligned to four elements. strided.glsl explains the other bits.
layout(constant_id = 16) const uint kLayout = 0;

#define FOR_EACH_QUAD(quad, count) FOR_EACH(quad, 0, ((count) + 3) / 4)

bool is_wide(uint quad, uint count) { return (kLayout & 1u) != 0 && 4 * quad + 3 < count; }

// Elements 4 quad to 4 quad + 3 of an array of `count`, as they are stored; 0 beyond its end.
uvec4 load_stored_quad(uint type, uvec2 address, uint quad, uint count) {
  if (is_wide(quad, count)) return load_stored4(type, address, quad);
  uvec4 stored = uvec4(0);
  for (uint k = 0; k < 4; ++k) {
    if (4 * quad + k < count) stored[k] = load_stored(type, address, 4 * quad + k);
  }
  return stored;
}

void store_stored_quad(uint type, uvec2 address, uint quad, uint count, uvec4 stored) {
  if (is_wide(quad, count)) {
    store_stored4(type, address, quad, stored);
  } else {
    for (uint k = 0; k < 4; ++k) {
      if (4 * quad + k < count) store_stored(type, address, 4 * quad + k, stored[k]);
    }
  }
}

vec4 load_quad(uint type, uvec2 address, uint quad, uint count) {
  return uintBitsToFloat(widen4(type, load_stored_quad(type, address, quad, count)));
}

void store_quad(uint type, uvec2 address, uint quad, uint count, vec4 value) {
  store_stored_quad(type, address, quad, count, narrow4(type, floatBitsToUint(value)));
}

#endif
