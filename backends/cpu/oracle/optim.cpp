// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch:
// f32 for f32 masters, f64 for f64 masters.
#include <algorithm>
#include <cmath>

#include "amphora/kernel/optimizers.h"
#include "amphora/kernel/two_floats.h"
#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {
namespace {

template <class Real>
Real lerp_value(Real from, Real to, Real weight) {
  // Two forms, so that weight 1 gives `to` exactly (PyTorch's rule).
  return weight < Real(0.5) ? from + weight * (to - from) : to - (to - from) * (Real(1) - weight);
}

// Calls step.template operator()<Real>() with the arithmetic type of the masters in buffer 1.
template <class Step>
void with_master_type(const KernelCall& call, Step step) {
  if (call.type_at(op::optimizer_step::master) == DType::f64) {
    step.template operator()<double>();
  } else {
    step.template operator()<float>();
  }
}

bool has_buffer(const KernelCall& call, int index) { return call.at(index).buffer != nullptr; }

// Calls update(g, value, first, second, third) for each element, with its states; those that are absent are 0.
template <class Real, class Update>
void for_each_element(const KernelCall& call, const GroupState& group, Update update) {
  using namespace op::optimizer_step;
  const Array gradients(call, gradient);
  const Array masters(call, master);
  const Array working_copy(call, working);
  const DType state_type = call.type_at(first);
  const Array states[] = {Array(call, first), Array(call, second, state_type), Array(call, third, state_type)};
  const std::uint32_t count = call.params<OptimizerParams>().count;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto value = static_cast<Real>(masters[i]);
    Real of_element[kMaxStates] = {};
    for (int k = 0; k < kMaxStates; ++k) {
      if (states[k]) of_element[k] = static_cast<Real>(states[k][i]);
    }
    const Real g = static_cast<Real>(gradients[i]) * group.gradient_factor;
    update(g, value, of_element[0], of_element[1], of_element[2]);
    for (int k = 0; k < kMaxStates; ++k) {
      if (states[k]) states[k].set(i, of_element[k]);
    }
    masters.set(i, value);
    if (working_copy) working_copy.set(i, value);
  }
}

#define AM_SCALAR Real
#define AM_VALUE Real
#define C(constant) Real(constant)
#define DIV(a, b) ((a) / (b))
#define SQRT(x) std::sqrt(x)
#define ONE_PLUS(a, b) static_cast<Real>(1.0 + static_cast<double>(a) * static_cast<double>(b))
#define LERP(from, to, weight) lerp_value<Real>(from, to, weight)
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define LESS(a, b) ((a) < (b))
#define HAS(state) has_##state
#define AM_CONSTANT(name)                                                                                           \
  [[maybe_unused]] const auto name = static_cast<Real>(joined(params.constants[next], params.constants_low[next])); \
  ++next;
#define AM_OPTIMIZER(name, presence, first_state, second_state, third_state, constants, prepared, update) \
  template <class Real>                                                                                   \
  void name##_step(const KernelCall& call, const GroupState& group) {                                     \
    const auto params = call.params<OptimizerParams>();                                                   \
    [[maybe_unused]] const Real lr = group.lr, step = static_cast<Real>(group.step);                      \
    [[maybe_unused]] const Real correction1 = group.correction1, correction2 = group.correction2;         \
    [[maybe_unused]] const bool HAS(first_state) = has_buffer(call, op::optimizer_step::first);           \
    [[maybe_unused]] const bool HAS(second_state) = has_buffer(call, op::optimizer_step::second);         \
    [[maybe_unused]] const bool HAS(third_state) = has_buffer(call, op::optimizer_step::third);           \
    int next = 0;                                                                                         \
    constants prepared for_each_element<Real>(                                                            \
        call, group,                                                                                      \
        [&](Real g, Real& value, [[maybe_unused]] Real& first_state, [[maybe_unused]] Real& second_state, \
            [[maybe_unused]] Real& third_state) { update });                                              \
  }
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
#undef C

void back_off(ScalerState& state, const ScalerUpdateParams& params) {
  state.growth_tracker = 0;
  // Megatron's rule: the counter is refilled by growth alone, and every overflow past it backs off.
  if (--state.hysteresis_tracker > 0) return;
  state.scale = static_cast<float>(static_cast<double>(state.scale) * params.backoff_factor);
}

void grow(ScalerState& state, const ScalerUpdateParams& params) {
  if (++state.growth_tracker < params.growth_interval || params.growth_interval == 0) return;
  state.growth_tracker = 0;
  state.hysteresis_tracker = params.hysteresis;
  const float candidate = state.scale * params.growth_factor;
  if (std::isfinite(candidate)) state.scale = candidate;
}

}  // namespace

void begin_step(const KernelCall& call, Threads&) {
  const auto params = call.params<BeginStepParams>();
  auto& group = *data_of<GroupState>(call, op::begin_step::group);
  if (const auto* lr = data_of<float>(call, op::begin_step::lr)) group.lr = *lr;
  const auto* stats = data_of<GradientStats>(call, op::begin_step::stats);
  const auto* scaler = data_of<ScalerState>(call, op::begin_step::scaler);
  group.skip = stats != nullptr && stats->found_inf != 0.0f ? 1 : 0;
  const bool scaled = params.unscale != 0 && scaler != nullptr;
  group.gradient_factor = scaled ? static_cast<float>(1.0 / scaler->scale) : 1.0f;
  if (group.skip != 0) return;
  ++group.step;
  const auto correction = [&](double decay) { return 1.0 - std::pow(decay, group.step); };
  group.correction1 = static_cast<float>(correction(joined(params.decay1, params.decay1_low)));
  group.correction2 = static_cast<float>(std::sqrt(correction(joined(params.decay2, params.decay2_low))));
}

void optimizer_step(const KernelCall& call, Threads&) {
  const auto& group = *data_of<GroupState>(call, op::optimizer_step::group);
  if (group.skip != 0) return;
  with_master_type(call, [&]<class Real>() {
    constexpr void (*kSteps[])(const KernelCall&, const GroupState&) = {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) name##_step<Real>,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
    };
    kSteps[call.spec.function](call, group);
  });
}

void lerp(const KernelCall& call, Threads&) {
  const auto params = call.params<LerpParams>();
  const Array source(call, op::lerp::source);
  const Array average(call, op::lerp::average);
  with_master_type(call, [&]<class Real>() {
    for (std::uint32_t i = 0; i < params.count; ++i) {
      average.set(i, lerp_value(static_cast<Real>(average[i]), static_cast<Real>(source[i]), Real(params.weight)));
    }
  });
}

void scaler_update(const KernelCall& call, Threads&) {
  const auto params = call.params<ScalerUpdateParams>();
  auto& state = *data_of<ScalerState>(call, op::scaler_update::scaler);
  const bool overflow = state.found_inf != 0.0f;
  ++state.updates;
  state.skipped += overflow ? 1 : 0;
  state.found_inf = 0.0f;
  if (params.dynamic == 0) return;
  if (overflow) {
    back_off(state, params);
  } else {
    grow(state, params);
  }
  state.scale = std::min(std::max(state.scale, params.min_scale), params.max_scale);
}

}  // namespace amphora::cpu::oracle
