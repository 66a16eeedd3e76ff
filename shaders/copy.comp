// copy: memory without arithmetic but rounding.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "quads.glsl"

// From storage as the first buffer's type to storage as the second's; one type keeps the bits.
uint converted(uint stored) {
  if (kType0 == kType1) return stored;
  const bool to_odd = kType0 == kI32 && is_half(kType1);
  return narrow(kType1, to_odd ? int_to_odd_bits(int(stored)) : widen(kType0, stored));
}

uvec4 converted4(uvec4 stored) {
  return uvec4(converted(stored.x), converted(stored.y), converted(stored.z), converted(stored.w));
}

#ifdef KERNEL_fill
layout(push_constant, std430) uniform Push {
  uvec2 target;
  FillParams params;
};

void main() {
  const uint bits = floatBitsToUint(params.value);
  const uint stored = narrow(kType0, is_nan_bits(bits) ? bits | 0x400000u : bits);
  FOR_EACH_QUAD(i, params.count) store_stored_quad(kType0, target, i, params.count, uvec4(stored));
}
#endif

#ifdef KERNEL_cast
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  CountParams params;
};

void main() {
  FOR_EACH_QUAD(i, params.count) {
    const uvec4 stored = load_stored_quad(kType0, source, i, params.count);
    store_stored_quad(kType1, target, i, params.count, converted4(stored));
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
  FOR_EACH_QUAD(i, count) {
    const uvec4 stored = load_stored_strided(0, kType0, source, params.sizes, params.in_strides, i, count);
    store_stored_strided(kType1, target, params.sizes, params.out_strides, i, count, converted4(stored));
  }
}
#endif

#ifdef KERNEL_accumulate
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 target;
  CountParams params;
};

// Of two i32 by integers, saturated; else in f32.
uint sum_of(uint added, uint old) {
  if (kType0 == kI32 && kType1 == kI32) {
    const uint sum = added + old;
    const bool overflow = int((added ^ sum) & (old ^ sum)) < 0;
    return overflow ? 0x7FFFFFFFu + (old >> 31) : sum;
  }
  precise float sum = uintBitsToFloat(widen(kType1, old)) + uintBitsToFloat(widen(kType0, added));
  return narrow(kType1, floatBitsToUint(sum));
}

void main() {
  FOR_EACH_QUAD(i, params.count) {
    const uvec4 added = load_stored_quad(kType0, source, i, params.count);
    uvec4 sums = load_stored_quad(kType1, target, i, params.count);
    for (int k = 0; k < 4; ++k) sums[k] = sum_of(added[k], sums[k]);
    store_stored_quad(kType1, target, i, params.count, sums);
  }
}
#endif
