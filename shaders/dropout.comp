// dropout: the mask is a function of the stream and the index, so backward draws it again.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "quads.glsl"

uint high_product(uint a, uint b) {
  uint high, low;
  umulExtended(a, b, high, low);
  return high;
}
#define AM_UINT uint
#define AM_MULHI(a, b) high_product(a, b)
#include "amphora/kernel/shared/philox.h"

#ifdef KERNEL_dropout
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  uvec2 call;  // 0: absent
  DropoutParams params;
};

void main() {
  // Drivers may read ahead of a branch, so what is absent must not be addressed at all.
  const bool has_call = call != uvec2(0);
  const uint number = Words(has_call ? call : x).at[0];
  const uint stream_high = params.stream_high + (has_call ? number : 0);
  FOR_EACH_QUAD(i, params.count) {
    // A block of the generator has the words of four elements.
    uint c0 = i;
    uint c1 = 0;
    uint c2 = params.stream_low;
    uint c3 = stream_high;
    uint k0 = params.seed_low;
    uint k1 = params.seed_high;
    AM_PHILOX_10(c0, c1, c2, c3, k0, k1)
    const bvec4 kept = greaterThanEqual(uvec4(c0, c1, c2, c3), uvec4(params.threshold));
    precise vec4 scaled = load_quad(kType0, x, i, params.count) * params.scale;
    store_quad(kType1, y, i, params.count, mix(vec4(0.0), scaled, kept));
  }
}
#endif
