// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch.
#include "cuda/include/io.cuh"
#include "cuda/include/optim.h"

namespace amphora::cuda::kernels {
namespace {

// Two forms, so that weight 1 gives `to` exactly (PyTorch's rule).
__device__ float mixed(float from, float to, float weight) {
  return weight < 0.5f ? from + weight * (to - from) : to - (to - from) * (1.0f - weight);
}

__device__ void back_off(ScalerState& state, const ScalerUpdateParams& params) {
  state.growth_tracker = 0;
  // Megatron's rule: the counter is refilled by growth alone, and every overflow past it backs off.
  if (--state.hysteresis_tracker > 0) return;
  state.scale = state.scale * params.backoff_factor;
}

__device__ void grow(ScalerState& state, const ScalerUpdateParams& params) {
  if (++state.growth_tracker != params.growth_interval) return;
  state.growth_tracker = 0;
  state.hysteresis_tracker = params.hysteresis;
  const float candidate = state.scale * params.growth_factor;
  if (is_finite(candidate)) state.scale = candidate;
}

}  // namespace

__global__ void begin_step(BeginStepArguments a) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  GroupState group = *a.group;
  if (a.lr != nullptr) group.lr = *a.lr;
  group.skip = a.stats != nullptr && a.stats->found_inf != 0.0f ? 1 : 0;
  group.gradient_factor = a.unscale && a.scaler != nullptr ? 1.0f / a.scaler->scale : 1.0f;
  if (group.skip == 0) {
    ++group.step;
    group.bias_correction1 = static_cast<float>(1.0 - pow(a.beta1, static_cast<double>(group.step)));
    group.bias_correction2 = static_cast<float>(sqrt(1.0 - pow(a.beta2, static_cast<double>(group.step))));
  }
  *a.group = group;
}

__global__ void sgd(SgdArguments a) {
  const GroupState group = *a.group;
  if (group.skip != 0) return;
  const SgdParams& params = a.params;
  const bool remembers = params.momentum != 0.0f;
  const bool first = group.step == 1;  // the momentum holds nothing yet
  const float undamped = 1.0f - params.dampening;
  for_each_pack(params.count, [&](std::size_t i, int n) {
    Pack value = load(a.master, i, n);
    Pack g = load(a.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      g.at[k] = g.at[k] * group.gradient_factor;
      if (params.weight_decay != 0.0f) g.at[k] = g.at[k] + params.weight_decay * value.at[k];
    }
    if (remembers) {
      Pack velocity = g;
      if (!first) {
        velocity = load(a.momentum, i, n);
#pragma unroll
        for (int k = 0; k < kPack; ++k) velocity.at[k] = velocity.at[k] * params.momentum + undamped * g.at[k];
      }
      store(a.momentum, i, n, velocity);
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        g.at[k] = params.nesterov != 0 ? g.at[k] + params.momentum * velocity.at[k] : velocity.at[k];
      }
    }
#pragma unroll
    for (int k = 0; k < kPack; ++k) value.at[k] = value.at[k] - group.lr * g.at[k];
    store(a.master, i, n, value);
    if (a.working.data != nullptr) store(a.working, i, n, value);
  });
}

__global__ void adam(AdamArguments a) {
  const GroupState group = *a.group;
  if (group.skip != 0) return;
  const AdamParams& params = a.params;
  const float step_size = group.lr / group.bias_correction1;
  // Rounded as on the oracle, in f64.
  const auto decay = static_cast<float>(1.0 - static_cast<double>(group.lr) * params.weight_decay);
  const bool shrinks = params.weight_decay != 0.0f && params.decoupled != 0;
  const bool adds_decay = params.weight_decay != 0.0f && params.decoupled == 0;
  for_each_pack(params.count, [&](std::size_t i, int n) {
    Pack value = load(a.master, i, n);
    Pack m = load(a.m, i, n);
    Pack v = load(a.v, i, n);
    const Pack gradient = load(a.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      float g = gradient.at[k] * group.gradient_factor;
      if (shrinks) value.at[k] = value.at[k] * decay;
      if (adds_decay) g = g + params.weight_decay * value.at[k];
      m.at[k] = mixed(m.at[k], g, a.complement1);
      v.at[k] = v.at[k] * a.beta2 + a.complement2 * g * g;
      const float denominator = sqrtf(v.at[k]) / group.bias_correction2 + params.epsilon;
      value.at[k] = value.at[k] - step_size * m.at[k] / denominator;
    }
    store(a.m, i, n, m);
    store(a.v, i, n, v);
    store(a.master, i, n, value);
    if (a.working.data != nullptr) store(a.working, i, n, value);
  });
}

__global__ void lerp(LerpArguments a) {
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    const Pack source = load(a.source, i, n);
    Pack average = load(a.average, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) average.at[k] = mixed(average.at[k], source.at[k], a.params.weight);
    store(a.average, i, n, average);
  });
}

__global__ void scaler_update(ScalerUpdateArguments a) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  ScalerState state = *a.scaler;
  const bool overflow = state.found_inf != 0.0f;
  ++state.updates;
  state.skipped += overflow ? 1 : 0;
  state.found_inf = 0.0f;
  if (a.params.dynamic != 0) {
    if (overflow) {
      back_off(state, a.params);
    } else {
      grow(state, a.params);
    }
    state.scale = state.scale < a.params.min_scale ? a.params.min_scale : state.scale;
    state.scale = a.params.max_scale < state.scale ? a.params.max_scale : state.scale;
  }
  *a.scaler = state;
}

}  // namespace amphora::cuda::kernels
