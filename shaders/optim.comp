// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch.
#version 460
#extension GL_GOOGLE_include_directive : require

#include "exact.glsl"
#include "pairs.glsl"
#include "quads.glsl"
#include "state.glsl"

// Two forms, so that weight 1 gives `to` exactly (PyTorch's rule). The branch is the same everywhere.
vec4 mixed(vec4 from, vec4 to, float weight) {
  precise vec4 difference = to - from;
  precise float rest = 1.0 - weight;
  precise vec4 near = from + weight * difference;
  precise vec4 far = to - difference * rest;
  return weight < 0.5 ? near : far;
}

#ifdef KERNEL_sgd
layout(constant_id = 17) const uint kHasWorking = 0;
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 master;
  uvec2 momentum;
  uvec2 working;
  uvec2 group;
  SgdParams params;
};

void main() {
  const GroupState state = Group(group).state;
  if (state.skip != 0) return;
  const bool remembers = params.momentum != 0.0;
  const bool first = state.step == 1;  // the momentum holds nothing yet
  precise float undamped = 1.0 - params.dampening;
  FOR_EACH_QUAD(i, params.count) {
    precise vec4 value = load_quad(kType1, master, i, params.count);
    precise vec4 g = load_quad(kType0, gradient, i, params.count) * state.gradient_factor;
    if (params.weight_decay != 0.0) g = g + params.weight_decay * value;
    if (remembers) {
      precise vec4 velocity = g;
      if (!first) velocity = load_quad(kType2, momentum, i, params.count) * params.momentum + undamped * g;
      store_quad(kType2, momentum, i, params.count, velocity);
      g = params.nesterov != 0 ? g + params.momentum * velocity : velocity;
    }
    value = value - state.lr * g;
    store_quad(kType1, master, i, params.count, value);
    if (kHasWorking != 0) store_quad(kType3, working, i, params.count, value);
  }
}
#endif

#ifdef KERNEL_adam
layout(constant_id = 17) const uint kHasWorking = 0;
layout(constant_id = 18) const uint kDriverIsExact = 0;  // its division and square root are rounded correctly
layout(push_constant, std430) uniform Push {
  uvec2 gradient;
  uvec2 master;
  uvec2 working;
  uvec2 m;
  uvec2 v;
  uvec2 group;
  AdamParams params;
  float complement1;  // 1 - beta, rounded once
  float complement2;
};

vec4 divided(vec4 a, vec4 b) {
  if (kDriverIsExact != 0) {
    precise vec4 ratio = a / b;
    return ratio;
  }
  return vec4(quotient(a.x, b.x), quotient(a.y, b.y), quotient(a.z, b.z), quotient(a.w, b.w));
}

vec4 root_of(vec4 x) {
  if (kDriverIsExact != 0) return sqrt(x);
  return vec4(square_root(x.x), square_root(x.y), square_root(x.z), square_root(x.w));
}

void main() {
  const GroupState state = Group(group).state;
  if (state.skip != 0) return;
  const float step_size = quotient(state.lr, state.bias_correction1);
  // 1 - lr * decay, rounded once.
  const float decay = fused(-state.lr, params.weight_decay, 1.0);
  const bool shrinks = params.weight_decay != 0.0 && params.decoupled != 0;
  const bool adds_decay = params.weight_decay != 0.0 && params.decoupled == 0;
  FOR_EACH_QUAD(i, params.count) {
    precise vec4 value = load_quad(kType1, master, i, params.count);
    precise vec4 g = load_quad(kType0, gradient, i, params.count) * state.gradient_factor;
    if (shrinks) value = value * decay;
    if (adds_decay) g = g + params.weight_decay * value;
    const vec4 mean = mixed(load_quad(kType3, m, i, params.count), g, complement1);
    precise vec4 square = load_quad(kType3, v, i, params.count) * params.beta2 + complement2 * g * g;
    precise vec4 denominator = divided(root_of(square), vec4(state.bias_correction2)) + params.epsilon;
    precise vec4 ascent = step_size * mean;
    value = value - divided(ascent, denominator);
    store_quad(kType3, m, i, params.count, mean);
    store_quad(kType3, v, i, params.count, square);
    store_quad(kType1, master, i, params.count, value);
    if (kHasWorking != 0) store_quad(kType2, working, i, params.count, value);
  }
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
               mixed(old, load_quad(kType0, source, i, params.count), params.weight));
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
  uint beta1_high;  // betas in units of 2^-64
  uint beta1_low;
  uint beta2_high;
  uint beta2_low;
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
    state.bias_correction1 = rounded_complement(fixed_power(uvec2(beta1_high, beta1_low), state.step));
    state.bias_correction2 = root_of_complement(fixed_power(uvec2(beta2_high, beta2_low), state.step));
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
  if (++state.growth_tracker != params.growth_interval) return;
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
