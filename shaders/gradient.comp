// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "math.glsl"
#include "quads.glsl"
#include "state.glsl"

bool is_finite4(vec4 v) { return is_finite(v.x) && is_finite(v.y) && is_finite(v.z) && is_finite(v.w); }

// Atomic because several invocations may write; the number is the same whatever came first.
void report(uvec2 scaler, uvec2 stats) {
  const uint one = floatBitsToUint(1.0);
  atomicExchange(Words(scaler).at[3], one);  // ScalerState::found_inf
  atomicExchange(Words(stats).at[0], one);
}

#ifdef KERNEL_inspect
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 scaler;
  uvec2 stats;
  CountParams params;
};

void main() {
  bool finite = true;
  FOR_EACH_QUAD(i, params.count) finite = finite && is_finite4(load_quad(kType0, gradient, i, params.count));
  if (!finite) report(scaler, stats);
}
#endif

#ifdef KERNEL_unscale
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 scaler;
  uvec2 stats;
  CountParams params;
};

void main() {
  const float inverse = quotient(1.0, Scaler(scaler).state.scale);
  bool finite = true;
  FOR_EACH_QUAD(i, params.count) {
    const vec4 scaled = load_quad(kType0, gradient, i, params.count);
    // The scaled value is judged: an overflow by the multiplication is not the loss scale's fault.
    finite = finite && is_finite4(scaled);
    precise vec4 unscaled = scaled * inverse;
    if (inverse != 1.0) store_quad(kType0, gradient, i, params.count, unscaled);
  }
  if (!finite) report(scaler, stats);
}
#endif

#ifdef KERNEL_clip_norm
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 total;
  ClipParams params;
};

void main() {
  // Reciprocal, then product: the two roundings of PyTorch's number / tensor.
  precise float sum = load(kF32, total, 0) + 1e-6;
  precise float ratio = quotient(1.0, sum) * params.limit;
  const float factor = ratio > 1.0 ? 1.0 : ratio;  // NaN stays NaN
  if (factor == 1.0) return;
  FOR_EACH_QUAD(i, params.count) {
    precise vec4 clipped = load_quad(kType0, gradient, i, params.count) * factor;
    store_quad(kType0, gradient, i, params.count, clipped);
  }
}
#endif

#ifdef KERNEL_clip_value
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  ClipParams params;
};

void main() {
  FOR_EACH_QUAD(i, params.count) {
    const vec4 old = load_quad(kType0, gradient, i, params.count);
    vec4 clipped = old;
    for (int k = 0; k < 4; ++k) {
      if (old[k] > params.limit) clipped[k] = params.limit;
      if (old[k] < -params.limit) clipped[k] = -params.limit;
    }
    store_quad(kType0, gradient, i, params.count, clipped);
  }
}
#endif

#ifdef KERNEL_gradient_norm
#include "gradient_norm.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 parts;
  GradientNormParams params;
};

void main() {
  Part part = neutral();
  FOR_EACH_QUAD(i, params.count) {
    const vec4 v = load_quad(kType0, gradient, i, params.count);
    for (uint k = 0; k < 4; ++k) {
      if (4 * i + k < params.count) part = join(part, part_of(v[k], params.p));
    }
  }
  part = joined_parts(part, gl_WorkGroupSize.x);
  if (lane() == 0) Parts(parts).at[gl_WorkGroupID.x] = part;
}
#endif

// Joins the parts, and what `total` holds, in one workgroup.
#ifdef KERNEL_gradient_norm_finish
#include "gradient_norm.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 parts;
  uvec2 total;
  GradientNormParams params;
  float inverse;  // 1 / p as a pair
  float inverse_low;
  uint count;  // of parts
};

void main() {
  Part part = neutral();
  for (uint i = lane(); i < count; i += gl_WorkGroupSize.x) part = join(part, Parts(parts).at[i]);
  part = joined_parts(part, gl_WorkGroupSize.x);
  if (lane() != 0) return;
  const float old = load(kF32, total, 0);
  if (is_nan(old)) return;
  store(kF32, total, 0, norm_of(part, old, params.p, vec2(inverse, inverse_low)));
}
#endif
