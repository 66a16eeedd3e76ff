// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
//
// Every range joins its findings to what the state holds already: found_inf is only ever set, a norm only grows.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {
namespace {

void report(const KernelCall& call, bool found) {
  if (!found) return;
  data_of<ScalerState>(call, op::unscale::scaler)->found_inf = 1.0f;
  data_of<GradientStats>(call, op::unscale::stats)->found_inf = 1.0f;
}

// Multiplies in f32, or in f64 where the gradient is f64.
double multiply(const Array& gradient, std::int64_t i, float factor) {
  if (gradient.type() == DType::f64) return gradient[i] * factor;
  return static_cast<float>(gradient[i]) * factor;
}

// The largest or smallest magnitude; NaN wins.
float extremum(const Array& gradient, std::uint32_t count, float start, bool largest) {
  double result = start;
  for (std::uint32_t i = 0; i < count; ++i) {
    const double magnitude = std::abs(gradient[i]);
    if (std::isnan(magnitude)) return std::numeric_limits<float>::quiet_NaN();
    if (largest ? result < magnitude : magnitude < result) result = magnitude;
  }
  return static_cast<float>(result);
}

float power_norm(const Array& gradient, std::uint32_t count, float start, double p) {
  const auto power = [p](double x) { return p == 2.0 ? x * x : std::pow(std::abs(x), p); };
  double sum = power(start);
  for (std::uint32_t i = 0; i < count; ++i) sum += power(gradient[i]);
  // An f32 sum: gradients whose squares exceed f32 have an infinite norm on every backend.
  const auto rounded = static_cast<float>(sum);
  return static_cast<float>(p == 2.0 ? std::sqrt(rounded) : std::pow(rounded, 1.0 / p));
}

}  // namespace

void inspect(const KernelCall& call, Threads&) {
  const auto params = call.params<CountParams>();
  const Array gradient(call, op::inspect::gradient);
  bool found = false;
  for (std::uint32_t i = 0; i < params.count; ++i) found = found || !std::isfinite(gradient[i]);
  report(call, found);
}

void unscale(const KernelCall& call, Threads&) {
  const auto params = call.params<CountParams>();
  const Array gradient(call, op::unscale::gradient);
  const auto inverse = static_cast<float>(1.0 / data_of<ScalerState>(call, op::unscale::scaler)->scale);
  bool found = false;
  for (std::uint32_t i = 0; i < params.count; ++i) {
    // The scaled value is judged: an overflow by the multiplication is not the loss scale's fault.
    found = found || !std::isfinite(gradient[i]);
    if (inverse != 1.0f) gradient.set(i, multiply(gradient, i, inverse));
  }
  report(call, found);
}

void gradient_norm(const KernelCall& call, Threads&) {
  const auto params = call.params<GradientNormParams>();
  const Array gradient(call, op::gradient_norm::gradient);
  auto* total = data_of<float>(call, op::gradient_norm::total);
  if (std::isnan(*total)) return;
  if (std::isinf(params.p)) {
    *total = extremum(gradient, params.count, *total, params.p > 0.0f);
  } else if (params.p == 0.0f) {
    std::int64_t nonzero = 0;
    for (std::uint32_t i = 0; i < params.count; ++i) nonzero += gradient[i] != 0.0 ? 1 : 0;
    *total += static_cast<float>(nonzero);
  } else {
    *total = power_norm(gradient, params.count, *total, params.p);
  }
}

void clip_norm(const KernelCall& call, Threads&) {
  const auto params = call.params<ClipParams>();
  const Array gradient(call, op::clip_norm::gradient);
  // Reciprocal, then product: the two roundings of PyTorch's number / tensor.
  const float ratio = 1.0f / (*data_of<float>(call, op::clip_norm::total) + 1e-6f) * params.limit;
  const float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
  for (std::uint32_t i = 0; i < params.count; ++i) gradient.set(i, multiply(gradient, i, factor));
}

void clip_value(const KernelCall& call, Threads&) {
  const auto params = call.params<ClipParams>();
  const Array gradient(call, op::clip_value::gradient);
  const double limit = params.limit;
  for (std::uint32_t i = 0; i < params.count; ++i) {
    const double value = gradient[i];
    if (value > limit) gradient.set(i, limit);
    if (value < -limit) gradient.set(i, -limit);
  }
}

}  // namespace amphora::cpu::oracle
