// pointwise: the table of kernel/shared/pointwise.def over contiguous arrays, or over strided operands of two.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "pointwise.glsl"

#ifdef KERNEL_unary
layout(constant_id = 8) const uint kByFours = 0;
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  UnaryParams params;
};

float value(float v) { return unary_value(kFunction, v, params.p0, params.p1); }

void main() {
  const uint quads = kByFours != 0 ? params.count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const vec4 v = load4(kType0, x, i);
    store4(kType1, y, i, vec4(value(v.x), value(v.y), value(v.z), value(v.w)));
  }
  FOR_EACH(i, 4 * quads, params.count) store(kType1, y, i, value(load(kType0, x, i)));
}
#endif

#ifdef KERNEL_unary_grad
layout(constant_id = 8) const uint kByFours = 0;
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  uvec2 dy;
  uvec2 dx;
  UnaryParams params;
};

float slope(float v, float w) { return unary_slope(kFunction, v, w, params.p0, params.p1); }

void main() {
  const uint quads = kByFours != 0 ? params.count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const vec4 v = load4(kType0, x, i);
    const vec4 w = load4(kType1, y, i);
    const vec4 slopes = vec4(slope(v.x, w.x), slope(v.y, w.y), slope(v.z, w.z), slope(v.w, w.w));
    precise vec4 result = load4(kType2, dy, i) * slopes;
    store4(kType3, dx, i, result);
  }
  FOR_EACH(i, 4 * quads, params.count) {
    precise float result = load(kType2, dy, i) * slope(load(kType0, x, i), load(kType1, y, i));
    store(kType3, dx, i, result);
  }
}
#endif

#ifdef KERNEL_binary
#include "strided.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 a;
  uvec2 b;
  uvec2 y;
  BinaryParams params;
  uint count;
};

float value(float v, float w) { return binary_value(kFunction, v, w); }

void main() {
  const uint quads = by_fours() ? count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const vec4 v = load4_at(0, kType0, a, offset_of(4 * i, params.sizes, params.a_strides));
    const vec4 w = load4_at(1, kType1, b, offset_of(4 * i, params.sizes, params.b_strides));
    store4(kType2, y, i, vec4(value(v.x, w.x), value(v.y, w.y), value(v.z, w.z), value(v.w, w.w)));
  }
  FOR_EACH(i, 4 * quads, count) {
    const float v = load(kType0, a, offset_of(i, params.sizes, params.a_strides));
    const float w = load(kType1, b, offset_of(i, params.sizes, params.b_strides));
    store(kType2, y, i, value(v, w));
  }
}
#endif

#ifdef KERNEL_binary_grad
#include "strided.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 a;
  uvec2 b;
  uvec2 dy;
  uvec2 dx;
  BinaryParams params;
  uint count;
};

const uint kFlagSecond = 1;
float slope(float v, float w) { return binary_slope(kFunction, (kFlags & kFlagSecond) != 0, v, w); }

void main() {
  const uint quads = by_fours() ? count / 4 : 0;
  FOR_EACH(i, 0, quads) {
    const vec4 v = load4_at(0, kType0, a, offset_of(4 * i, params.sizes, params.a_strides));
    const vec4 w = load4_at(1, kType1, b, offset_of(4 * i, params.sizes, params.b_strides));
    const vec4 u = load4_at(2, kType2, dy, offset_of(4 * i, params.sizes, params.dy_strides));
    precise vec4 result = u * vec4(slope(v.x, w.x), slope(v.y, w.y), slope(v.z, w.z), slope(v.w, w.w));
    store4(kType3, dx, i, result);
  }
  FOR_EACH(i, 4 * quads, count) {
    const float v = load(kType0, a, offset_of(i, params.sizes, params.a_strides));
    const float w = load(kType1, b, offset_of(i, params.sizes, params.b_strides));
    precise float result = load(kType2, dy, offset_of(i, params.sizes, params.dy_strides)) * slope(v, w);
    store(kType3, dx, i, result);
  }
}
#endif
