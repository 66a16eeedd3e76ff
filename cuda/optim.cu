// optim: optimizer steps and the loss scale's state machine, in the order of operations and with the roundings of the
// oracle: the bits are the same.
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
  state.scale = static_cast<float>(static_cast<double>(state.scale) * params.backoff_factor);
}

__device__ void grow(ScalerState& state, const ScalerUpdateParams& params) {
  if (++state.growth_tracker != params.growth_interval) return;
  state.growth_tracker = 0;
  state.hysteresis_tracker = params.hysteresis;
  const float candidate = state.scale * params.growth_factor;
  if (is_finite(candidate)) state.scale = candidate;
}

}  // namespace

__global__ void begin_step(BeginStepArguments g) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  GroupState group = *g.group;
  group.skip = g.stats != nullptr && g.stats->found_inf != 0.0f ? 1 : 0;
  const bool scaled = g.unscale && g.scaler != nullptr;
  group.gradient_factor = scaled ? static_cast<float>(1.0 / g.scaler->scale) : 1.0f;
  if (group.skip == 0) {
    ++group.step;
    group.bias_correction1 = static_cast<float>(1.0 - pow(g.beta1, static_cast<double>(group.step)));
    group.bias_correction2 = static_cast<float>(sqrt(1.0 - pow(g.beta2, static_cast<double>(group.step))));
  }
  *g.group = group;
}

__global__ void sgd(SgdArguments g) {
  const GroupState group = *g.group;
  if (group.skip != 0) return;
  const SgdParams& p = g.params;
  const bool remembers = p.momentum != 0.0f;
  const bool first = group.step == 1;  // the momentum holds nothing yet
  const float undamped = 1.0f - p.dampening;
  for_each_pack(p.count, [&](std::size_t i, int n) {
    const Pack gradient = load(g.gradient, i, n);
    Pack master = load(g.master, i, n);
    Pack momentum = remembers && !first ? load(g.momentum, i, n) : Pack{};
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      float value = gradient.at[k] * group.gradient_factor;
      if (p.weight_decay != 0.0f) value = value + p.weight_decay * master.at[k];
      if (remembers) {
        const float velocity = first ? value : momentum.at[k] * p.momentum + undamped * value;
        momentum.at[k] = velocity;
        value = p.nesterov != 0 ? value + p.momentum * velocity : velocity;
      }
      master.at[k] = master.at[k] - group.lr * value;
    }
    if (remembers) store(g.momentum, i, n, momentum);
    store(g.master, i, n, master);
    if (g.working.data != nullptr) store(g.working, i, n, master);
  });
}

__global__ void adam(AdamArguments g) {
  const GroupState group = *g.group;
  if (group.skip != 0) return;
  const AdamParams& p = g.params;
  const float step_size = group.lr / group.bias_correction1;
  // Rounded once, as a fused multiply-add would.
  const auto decay = static_cast<float>(1.0 - static_cast<double>(group.lr) * p.weight_decay);
  const bool shrinks = p.weight_decay != 0.0f && p.decoupled != 0;
  const bool adds_decay = p.weight_decay != 0.0f && p.decoupled == 0;
  for_each_pack(p.count, [&](std::size_t i, int n) {
    const Pack gradient = load(g.gradient, i, n);
    Pack master = load(g.master, i, n);
    Pack m = load(g.m, i, n);
    Pack v = load(g.v, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      float value = master.at[k];
      float slope = gradient.at[k] * group.gradient_factor;
      if (shrinks) value = value * decay;
      if (adds_decay) slope = slope + p.weight_decay * value;
      const float mean = mixed(m.at[k], slope, g.complement1);
      const float square = v.at[k] * g.beta2 + g.complement2 * slope * slope;
      const float denominator = sqrtf(square) / group.bias_correction2 + p.epsilon;
      m.at[k] = mean;
      v.at[k] = square;
      master.at[k] = value - step_size * mean / denominator;
    }
    store(g.m, i, n, m);
    store(g.v, i, n, v);
    store(g.master, i, n, master);
    if (g.working.data != nullptr) store(g.working, i, n, master);
  });
}

__global__ void lerp(LerpArguments g) {
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    const Pack source = load(g.source, i, n);
    Pack average = load(g.average, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) average.at[k] = mixed(average.at[k], source.at[k], g.params.weight);
    store(g.average, i, n, average);
  });
}

__global__ void scaler_update(ScalerUpdateArguments g) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  ScalerState state = *g.scaler;
  const bool overflow = state.found_inf != 0.0f;
  ++state.updates;
  state.skipped += overflow ? 1 : 0;
  state.found_inf = 0.0f;
  if (g.params.dynamic != 0) {
    if (overflow) {
      back_off(state, g.params);
    } else {
      grow(state, g.params);
    }
    state.scale = state.scale < g.params.min_scale ? g.params.min_scale : state.scale;
    state.scale = g.params.max_scale < state.scale ? g.params.max_scale : state.scale;
  }
  *g.scaler = state;
}

}  // namespace amphora::cuda::kernels
