// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "exact.glsl"
#include "pairs.glsl"
#include "quads.glsl"
#include "tables.glsl"
#include "state.glsl"

// Two forms, so that weight 1 gives `to` exactly (PyTorch's rule). The branch is the same everywhere.
vec4 interpolated(vec4 from, vec4 to, float weight) {
  precise vec4 difference = to - from;
  precise float rest = 1.0 - weight;
  precise vec4 near = from + weight * difference;
  precise vec4 far = to - difference * rest;
  return weight < 0.5 ? near : far;
}

#ifdef KERNEL_optimizer_step
layout(constant_id = 17) const uint kPresent = 0;        // bit 0: the working copy; bit 1 + k: state k
layout(constant_id = 18) const uint kDriverIsExact = 0;  // its division and square root are rounded correctly
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 master;
  uvec2 working;
  uvec2 states[3];
  uvec2 group;
  uint count;
  float constants[8];  // of OptimizerParams, which has more than fits here
};

float divided(float a, float b) { return quotient(a, b); }
vec4 divided(vec4 a, vec4 b) {
  if (kDriverIsExact != 0) {
    precise vec4 ratio = a / b;
    return ratio;
  }
  return vec4(quotient(a.x, b.x), quotient(a.y, b.y), quotient(a.z, b.z), quotient(a.w, b.w));
}
vec4 divided(vec4 a, float b) { return divided(a, vec4(b)); }

vec4 root_of(vec4 x) {
  if (kDriverIsExact != 0) return sqrt(x);
  return vec4(square_root(x.x), square_root(x.y), square_root(x.z), square_root(x.w));
}

bool is_present(uint state) { return (kPresent & (2u << state)) != 0; }

vec4 load_state(uint state, uint i) {
  return is_present(state) ? load_quad(kType3, states[state], i, count) : vec4(0.0);
}

void store_state(uint state, uint i, vec4 value) {
  if (is_present(state)) store_quad(kType3, states[state], i, count, value);
}

#define AM_SCALAR float
#define AM_VALUE precise vec4
#define C(constant) vec4(constant)
#define DIV(a, b) divided(a, b)
#define SQRT(x) root_of(x)
#define ONE_PLUS(a, b) fused(a, b, 1.0)
#define LERP(from, to, weight) interpolated(from, to, weight)
#define SELECT(condition, then, otherwise) mix(otherwise, then, condition)
#define LESS(a, b) lessThan(a, b)
#define HAS(state) has_##state
#define AM_CONSTANT(name) const float name = constants[next++];

// The loop of one rule; all others are dropped before a driver sees them.
#define AM_OPTIMIZER(name, presence, first_state, second_state, third_state, named_constants, prepared, update) \
  if (kFunction == OPTIMIZER_##name) {                                                                          \
    const bool has_##first_state = is_present(0);                                                               \
    const bool has_##second_state = is_present(1);                                                              \
    const bool has_##third_state = is_present(2);                                                               \
    uint next = 0;                                                                                              \
    named_constants                                                                                             \
    prepared                                                                                                    \
    FOR_EACH_QUAD(i, count) {                                                                                   \
      precise vec4 value = load_quad(kType1, master, i, count);                                                 \
      precise vec4 g = load_quad(kType0, gradient, i, count) * state.gradient_factor;                           \
      precise vec4 first_state = load_state(0, i);                                                              \
      precise vec4 second_state = load_state(1, i);                                                             \
      precise vec4 third_state = load_state(2, i);                                                              \
      update                                                                                                    \
      store_state(0, i, first_state);                                                                           \
      store_state(1, i, second_state);                                                                          \
      store_state(2, i, third_state);                                                                           \
      store_quad(kType1, master, i, count, value);                                                              \
      if ((kPresent & 1u) != 0) store_quad(kType2, working, i, count, value);                                   \
    }                                                                                                           \
  }

void main() {
  const GroupState state = Group(group).state;
  if (state.skip != 0) return;
  const float lr = state.lr;
  const float step = float(state.step);
  const float correction1 = state.correction1;
  const float correction2 = state.correction2;
#include "amphora/kernel/shared/optim.def"
}
#endif

#ifdef KERNEL_lerp
layout(push_constant, std430) uniform Push {
  uvec2 source;
  uvec2 average;
  LerpParams params;
};

void main() {
  FOR_EACH_QUAD(i, params.count) {
    const vec4 old = load_quad(kType1, average, i, params.count);
    store_quad(kType1, average, i, params.count,
               interpolated(old, load_quad(kType0, source, i, params.count), params.weight));
  }
}
#endif

#ifdef KERNEL_begin_step
#include "fixed_point.glsl"
layout(push_constant, std430) uniform Push {
  uvec2 group;
  uvec2 stats;
  uvec2 scaler;
  uvec2 lr;
  BeginStepParams params;
  uint decay1_high;  // decays in units of 2^-64
  uint decay1_low;
  uint decay2_high;
  uint decay2_low;
};

void main() {
  if (gl_GlobalInvocationID.x != 0) return;
  GroupState state = Group(group).state;
  // Drivers may read ahead of a branch, so what is absent must not be addressed at all.
  const bool has_stats = stats != uvec2(0);
  const bool is_scaled = params.unscale != 0 && scaler != uvec2(0);
  const float found_inf = Stats(has_stats ? stats : group).state.found_inf;
  const float scale = Scaler(is_scaled ? scaler : group).state.scale;
  state.lr = uintBitsToFloat(Words(lr != uvec2(0) ? lr : group).at[0]);  // a group's state begins with its rate
  state.skip = has_stats && found_inf != 0.0 ? 1 : 0;
  state.gradient_factor = is_scaled ? quotient(1.0, scale) : 1.0;
  if (state.skip == 0) {
    ++state.step;
    state.correction1 = rounded_complement(fixed_power(uvec2(decay1_high, decay1_low), state.step));
    state.correction2 = root_of_complement(fixed_power(uvec2(decay2_high, decay2_low), state.step));
  }
  Group(group).state = state;
}
#endif

#ifdef KERNEL_scaler_update
layout(push_constant, std430) uniform Push {
  uvec2 scaler;
  ScalerUpdateParams params;
};

void back_off(inout ScalerState state) {
  state.growth_tracker = 0;
  // Megatron's rule: the counter is refilled by growth alone, and every overflow past it backs off.
  if (--state.hysteresis_tracker > 0) return;
  state.scale = exact_product(state.scale, params.backoff_factor);
}

void grow(inout ScalerState state) {
  if (++state.growth_tracker < params.growth_interval || params.growth_interval == 0) return;
  state.growth_tracker = 0;
  state.hysteresis_tracker = params.hysteresis;
  const float candidate = exact_product(state.scale, params.growth_factor);
  if (is_finite(candidate)) state.scale = candidate;
}

void main() {
  if (gl_GlobalInvocationID.x != 0) return;
  ScalerState state = Scaler(scaler).state;
  const bool overflow = state.found_inf != 0.0;
  ++state.updates;
  state.skipped += overflow ? 1 : 0;
  state.found_inf = 0.0;
  if (params.dynamic != 0) {
    if (overflow) {
      back_off(state);
    } else {
      grow(state);
    }
    state.scale = state.scale < params.min_scale ? params.min_scale : state.scale;
    state.scale = params.max_scale < state.scale ? params.max_scale : state.scale;
  }
  Scaler(scaler).state = state;
}
#endif
