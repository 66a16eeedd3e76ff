// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch.
#include "cuda/include/io.cuh"
#include "cuda/include/optim.h"

namespace amphora::cuda::kernels {
namespace {

// Two forms, so that weight 1 gives `to` exactly (PyTorch's rule).
__device__ float interpolated(float from, float to, float weight) {
  return weight < 0.5f ? from + weight * (to - from) : to - (to - from) * (1.0f - weight);
}

__device__ void back_off(ScalerState& state, const ScalerUpdateParams& params) {
  state.growth_tracker = 0;
  // Megatron's rule: the counter is refilled by growth alone, and every overflow past it backs off.
  if (--state.hysteresis_tracker > 0) return;
  state.scale = state.scale * params.backoff_factor;
}

__device__ void grow(ScalerState& state, const ScalerUpdateParams& params) {
  if (++state.growth_tracker < params.growth_interval || params.growth_interval == 0) return;
  state.growth_tracker = 0;
  state.hysteresis_tracker = params.hysteresis;
  const float candidate = state.scale * params.growth_factor;
  if (is_finite(candidate)) state.scale = candidate;
}

// Calls update(g, value, first, second, third) for each element, with its states; those that are absent are 0.
template <class Update>
__device__ void for_each_element(const OptimizerArguments& a, float factor, Update update) {
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    Pack value = load(a.master, i, n);
    Pack g = load(a.gradient, i, n);
    Pack states[3] = {};
#pragma unroll
    for (int k = 0; k < 3; ++k) {
      if (a.states[k].data != nullptr) states[k] = load(a.states[k], i, n);
    }
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      update(g.at[k] * factor, value.at[k], states[0].at[k], states[1].at[k], states[2].at[k]);
    }
#pragma unroll
    for (int k = 0; k < 3; ++k) {
      if (a.states[k].data != nullptr) store(a.states[k], i, n, states[k]);
    }
    store(a.master, i, n, value);
    if (a.working.data != nullptr) store(a.working, i, n, value);
  });
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
    group.correction1 = static_cast<float>(1.0 - pow(a.decay1, static_cast<double>(group.step)));
    group.correction2 = static_cast<float>(sqrt(1.0 - pow(a.decay2, static_cast<double>(group.step))));
  }
  *a.group = group;
}

#define AM_SCALAR float
#define AM_VALUE float
#define C(constant) static_cast<float>(constant)
#define DIV(a, b) ((a) / (b))
#define SQRT(x) sqrtf(x)
#define ONE_PLUS(a, b) static_cast<float>(1.0 + static_cast<double>(a) * static_cast<double>(b))
#define LERP(from, to, weight) interpolated(from, to, weight)
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define LESS(a, b) ((a) < (b))
#define HAS(state) has_##state
#define AM_CONSTANT(name) [[maybe_unused]] const float name = a.params.constants[next++];
#define AM_OPTIMIZER(name, presence, first_state, second_state, third_state, constants, prepared, update)     \
  __global__ void name(OptimizerArguments a) {                                                                \
    const GroupState group = *a.group;                                                                        \
    if (group.skip != 0) return;                                                                              \
    [[maybe_unused]] const float lr = group.lr, step = static_cast<float>(group.step);                        \
    [[maybe_unused]] const float correction1 = group.correction1, correction2 = group.correction2;            \
    [[maybe_unused]] const bool HAS(first_state) = a.states[0].data != nullptr;                               \
    [[maybe_unused]] const bool HAS(second_state) = a.states[1].data != nullptr;                              \
    [[maybe_unused]] const bool HAS(third_state) = a.states[2].data != nullptr;                               \
    int next = 0;                                                                                             \
    constants prepared for_each_element(                                                                      \
        a, group.gradient_factor,                                                                             \
        [&](float g, float& value, [[maybe_unused]] float& first_state, [[maybe_unused]] float& second_state, \
            [[maybe_unused]] float& third_state) { update });                                                 \
  }
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
#undef AM_SCALAR
#undef AM_VALUE
#undef C
#undef DIV
#undef SQRT
#undef ONE_PLUS
#undef LERP
#undef SELECT
#undef LESS
#undef HAS
#undef AM_CONSTANT

__global__ void lerp(LerpArguments a) {
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    const Pack source = load(a.source, i, n);
    Pack average = load(a.average, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) average.at[k] = interpolated(average.at[k], source.at[k], a.params.weight);
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
