// optim: optimizer steps and the loss scale's state machine, in the order of operations and the roundings of PyTorch:
// f32 for f32 masters, f64 for f64 masters.
#include <algorithm>
#include <cmath>

#include "amphora/core/error.h"
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
  if (call.type_at(op::adam::master) == DType::f64) {
    step.template operator()<double>();
  } else {
    step.template operator()<float>();
  }
}

template <class Real>
void sgd_step(const KernelCall& call, const GroupState& group) {
  const auto params = call.params<SgdParams>();
  const Array gradient(call, op::sgd::gradient);
  const Array master(call, op::sgd::master);
  const Array momentum(call, op::sgd::momentum);
  const Array working(call, op::sgd::working);
  const bool remembers = params.momentum != 0.0f;
  require(!remembers || momentum, "sgd on cpu: momentum {} needs a momentum buffer", params.momentum);
  const bool first = group.step == 1;
  for (std::uint32_t i = 0; i < params.count; ++i) {
    auto value = static_cast<Real>(master[i]);
    Real g = static_cast<Real>(gradient[i]) * group.gradient_factor;
    if (params.weight_decay != 0.0f) g = g + params.weight_decay * value;
    if (remembers) {
      const Real old = first ? Real(0) : static_cast<Real>(momentum[i]) * params.momentum;
      const Real velocity = first ? g : old + (1.0f - params.dampening) * g;
      momentum.set(i, velocity);
      g = params.nesterov != 0 ? g + params.momentum * velocity : velocity;
    }
    value = value - group.lr * g;
    master.set(i, value);
    if (working) working.set(i, value);
  }
}

template <class Real>
void adam_step(const KernelCall& call, const GroupState& group) {
  const auto params = call.params<AdamParams>();
  const Array gradient(call, op::adam::gradient);
  const Array master(call, op::adam::master);
  const Array working(call, op::adam::working);
  const Array m(call, op::adam::m);
  const Array v(call, op::adam::v, call.type_at(op::adam::m));
  const double full_beta2 = joined(params.beta2, params.beta2_low);
  const auto complement1 = static_cast<Real>(1.0 - joined(params.beta1, params.beta1_low));
  const auto complement2 = static_cast<Real>(1.0 - full_beta2);
  const auto beta2 = static_cast<Real>(full_beta2);
  const Real step_size = static_cast<Real>(group.lr) / group.bias_correction1;
  // Rounded once, as a fused multiply-add would.
  const auto decay = static_cast<Real>(1.0 - static_cast<double>(group.lr) * params.weight_decay);
  for (std::uint32_t i = 0; i < params.count; ++i) {
    auto value = static_cast<Real>(master[i]);
    Real g = static_cast<Real>(gradient[i]) * group.gradient_factor;
    if (params.weight_decay != 0.0f) {
      if (params.decoupled != 0) {
        value = value * decay;
      } else {
        g = g + params.weight_decay * value;
      }
    }
    const Real mean = lerp_value(static_cast<Real>(m[i]), g, complement1);
    const Real square = static_cast<Real>(v[i]) * beta2 + complement2 * g * g;
    const Real denominator = std::sqrt(square) / group.bias_correction2 + params.epsilon;
    value = value - step_size * mean / denominator;
    m.set(i, mean);
    v.set(i, square);
    master.set(i, value);
    if (working) working.set(i, value);
  }
}

void back_off(ScalerState& state, const ScalerUpdateParams& params) {
  state.growth_tracker = 0;
  // Megatron's rule: the counter is refilled by growth alone, and every overflow past it backs off.
  if (--state.hysteresis_tracker > 0) return;
  state.scale = static_cast<float>(static_cast<double>(state.scale) * params.backoff_factor);
}

void grow(ScalerState& state, const ScalerUpdateParams& params) {
  if (++state.growth_tracker != params.growth_interval) return;
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
  const auto correction = [&](double beta) { return 1.0 - std::pow(beta, group.step); };
  group.bias_correction1 = static_cast<float>(correction(joined(params.beta1, params.beta1_low)));
  group.bias_correction2 = static_cast<float>(std::sqrt(correction(joined(params.beta2, params.beta2_low))));
}

void sgd(const KernelCall& call, Threads&) {
  const auto& group = *data_of<GroupState>(call, op::sgd::group);
  if (group.skip != 0) return;
  with_master_type(call, [&]<class Real>() { sgd_step<Real>(call, group); });
}

void adam(const KernelCall& call, Threads&) {
  const auto& group = *data_of<GroupState>(call, op::adam::group);
  if (group.skip != 0) return;
  with_master_type(call, [&]<class Real>() { adam_step<Real>(call, group); });
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
