// copy: memory without arithmetic but rounding.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "io.glsl"

// From storage as `from` to storage as `to`; one type keeps the bits.
uint converted(uint from, uint to, uint stored) {
  if (from == to) return stored;
  return narrow(to, from == kI32 && is_half(to) ? int_to_odd_bits(int(stored)) : widen(from, stored));
}

uvec4 converted4(uint from, uint to, uvec4 stored) {
  return uvec4(converted(from, to, stored.x), converted(from, to, stored.y), converted(from, to, stored.z),
               converted(from, to, stored.w));
}

#ifdef KERNEL_fill
layout(constant_id = 8) const uint kByFours = 0;
layout(push_constant, std430) uniform Push {
  uvec2 target;
  FillParams params;
};

void main() {
  const uint bits = floatBitsToUint(params.value);
  const uint stored = narrow(kType0, is_nan_bits(bits) ? bits | 0x400000u : bits);
  const uint quads = kByFours != 0 ? params.count / 4 : 0;
  FOR_EACH(i, 0, quads) store_stored4(kType0, target, i, uvec4(stored));
  FOR_EACH(i, 4 * quads, params.count) store_stored(kType0, target, i, stored);
}
#endif

#ifdef KERNEL_cast
layout(constant_id = 8) const uint kByFours = 0;
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  CountParams params;
};

void main() {
  const uint quads = kByFours != 0 ? params.count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    store_stored4(kType1, target, i, converted4(kType0, kType1, load_stored4(kType0, source, i)));
  }
  FOR_EACH(i, 4 * quads, params.count) {
    store_stored(kType1, target, i, converted(kType0, kType1, load_stored(kType0, source, i)));
  }
}
#endif

#ifdef KERNEL_copy
#include "strided.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  CopyParams params;
  uint count;
};

void main() {
  const uint quads = by_fours() ? count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const uvec4 stored = load_stored4_at(0, kType0, source, offset_of(4 * i, params.sizes, params.in_strides));
    const uint offset = offset_of(4 * i, params.sizes, params.out_strides);
    store_stored4(kType1, target, offset / 4, converted4(kType0, kType1, stored));
  }
  FOR_EACH(i, 4 * quads, count) {
    const uint stored = load_stored(kType0, source, offset_of(i, params.sizes, params.in_strides));
    store_stored(kType1, target, offset_of(i, params.sizes, params.out_strides), converted(kType0, kType1, stored));
  }
}
#endif

#ifdef KERNEL_accumulate
layout(constant_id = 8) const uint kByFours = 0;
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  CountParams params;
};

// Of two i32 by integers, saturated; else in f32.
uint sum_of(uint added, uint old) {
  if (kType0 == kI32 && kType1 == kI32) {
    const uint sum = added + old;
    const bool overflow = (int((added ^ sum) & (old ^ sum)) < 0);
    return overflow ? 0x7FFFFFFFu + (old >> 31) : sum;
  }
  precise float sum = uintBitsToFloat(widen(kType1, old)) + uintBitsToFloat(widen(kType0, added));
  return narrow(kType1, floatBitsToUint(sum));
}

void main() {
  const uint quads = kByFours != 0 ? params.count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const uvec4 added = load_stored4(kType0, source, i);
    const uvec4 old = load_stored4(kType1, target, i);
    store_stored4(kType1, target, i,
                  uvec4(sum_of(added.x, old.x), sum_of(added.y, old.y), sum_of(added.z, old.z), sum_of(added.w, old.w)));
  }
  FOR_EACH(i, 4 * quads, params.count) {
    store_stored(kType1, target, i, sum_of(load_stored(kType0, source, i), load_stored(kType1, target, i)));
  }
}
#endif
