#include "amphora/optim/ema.h"

#include <algorithm>
#include <utility>

#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

Ema::Ema(std::vector<nn::Parameter> parameters, float decay) : parameters_(std::move(parameters)), decay_(decay) {
  require(decay >= 0.0f && decay < 1.0f, "an average with decay {}; it must be at least 0 and below 1", decay);
  for (const nn::ParameterSpan& run : nn::spans_of(parameters_, false)) {
    Tensor value = Tensor::empty(run.arena->device(), {run.count}, DType::f32, MemoryKind::optimizer_state);
    launch_copy(run.master(), value);
    averages_.push_back({run, value});
  }
}

void Ema::follow_parameters() {
  const auto same = [](const nn::ParameterSpan& now, const Average& then) { return now == then.run; };
  const std::vector<nn::ParameterSpan> now = nn::spans_of(parameters_, false);
  if (std::equal(now.begin(), now.end(), averages_.begin(), averages_.end(), same)) return;
  // Both lists are the parameters in their order, cut differently.
  std::vector<Average> moved;
  std::size_t from = 0;
  std::int64_t done = 0;  // of average `from`
  for (const nn::ParameterSpan& run : now) {
    Tensor value = Tensor::empty(run.arena->device(), {run.count}, DType::f32, MemoryKind::optimizer_state);
    for (std::int64_t filled = 0; filled < run.count;) {
      const Tensor& old = averages_[from].value;
      const std::int64_t count = std::min(run.count - filled, old.count() - done);
      launch_copy(old.view({count}, {1}, done), value.view({count}, {1}, filled));
      filled += count;
      done += count;
      if (done == old.count()) {
        ++from;
        done = 0;
      }
    }
    moved.push_back({run, value});
  }
  averages_ = std::move(moved);
}

void Ema::update() {
  follow_parameters();
  const OpPlace place("step", "ema");
  for (const auto& [run, value] : averages_) {
    const LerpParams params{count_of(value), 1.0f - decay_};
    KernelCall call(KernelId::lerp, Spec{.types = {DType::f32, DType::f32}}, params);
    value.device().launch(call.with(range_of(run.master())).with(range_of(value)));
  }
}

void Ema::swap() {
  follow_parameters();
  for (const auto& [run, value] : averages_) {
    const Tensor kept = Tensor::empty(value.device(), value.shape(), DType::f32, MemoryKind::optimizer_state);
    launch_copy(value, kept);
    launch_copy(run.master(), value);
    launch_copy(kept, run.master());
  }
}

Tensor Ema::average(const nn::Parameter& parameter) {
  follow_parameters();
  for (const auto& [run, value] : averages_) {
    const bool inside = run.arena == parameter.arena() && parameter.start() >= run.start &&
                        parameter.start() + parameter.count() <= run.start + run.count;
    if (inside)
      return value.view(parameter.shape(), contiguous_strides(parameter.shape()), parameter.start() - run.start);
  }
  fail("parameter '{}' is not averaged here", parameter.name());
}

void Ema::visit_state(StateVisitor& visitor) {
  for (const nn::Parameter& parameter : parameters_) visitor.tensor(parameter.name(), average(parameter));
}

}  // namespace amphora::optim
