// pointwise: the table of kernel/shared/pointwise.def over contiguous arrays, or over strided operands of two.
//
// A row's formula is long, so each kernel has one copy of it, in a loop over four elements.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "module.glsl"

#define POINTWISE_ROW kFunction
#include "pointwise.glsl"

#ifdef KERNEL_unary
#include "quads.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  UnaryParams params;
};

void main() {
  FOR_EACH_QUAD(i, params.count) {
    vec4 values = load_quad(kType0, x, i, params.count);
    for (int k = 0; k < 4; ++k) values[k] = unary_value(values[k], params.p0, params.p1);
    store_quad(kType1, y, i, params.count, values);
  }
}
#endif

#ifdef KERNEL_unary_grad
#include "quads.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 x;
  uvec2 y;
  uvec2 dy;
  uvec2 dx;
  UnaryParams params;
};

void main() {
  FOR_EACH_QUAD(i, params.count) {
    const vec4 v = load_quad(kType0, x, i, params.count);
    const vec4 w = load_quad(kType1, y, i, params.count);
    precise vec4 gradient = load_quad(kType2, dy, i, params.count);
    for (int k = 0; k < 4; ++k) gradient[k] *= unary_slope(v[k], w[k], params.p0, params.p1);
    store_quad(kType3, dx, i, params.count, gradient);
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

void main() {
  FOR_EACH_QUAD(i, count) {
    vec4 v = load_strided(0, kType0, a, params.sizes, params.a_strides, i, count);
    const vec4 w = load_strided(1, kType1, b, params.sizes, params.b_strides, i, count);
    for (int k = 0; k < 4; ++k) v[k] = binary_value(v[k], w[k]);
    store_quad(kType2, y, i, count, v);
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

void main() {
  const bool second = (kFlags & kFlagSecond) != 0;
  FOR_EACH_QUAD(i, count) {
    const vec4 v = load_strided(0, kType0, a, params.sizes, params.a_strides, i, count);
    const vec4 w = load_strided(1, kType1, b, params.sizes, params.b_strides, i, count);
    precise vec4 gradient = load_strided(2, kType2, dy, params.sizes, params.dy_strides, i, count);
    for (int k = 0; k < 4; ++k) gradient[k] *= binary_slope(second, v[k], w[k]);
    store_quad(kType3, dx, i, count, gradient);
  }
}
#endif
