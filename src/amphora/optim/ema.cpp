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

void Ema::require_in_place() const {
  const auto same = [](const nn::ParameterSpan& now, const Average& then) { return now == then.run; };
  const std::vector<nn::ParameterSpan> now = nn::spans_of(parameters_, false);
  require(std::equal(now.begin(), now.end(), averages_.begin(), averages_.end(), same),
          "the parameters were moved after their averages were created, by an optimizer that gathers them; create Ema "
          "after the optimizer");
}

void Ema::update() {
  require_in_place();
  const OpPlace place("step", "ema");
  for (const auto& [run, value] : averages_) {
    const LerpParams params{static_cast<std::uint32_t>(run.count), 1.0f - decay_};
    KernelCall call(KernelId::lerp, Spec{.types = {DType::f32, DType::f32}}, params);
    value.device().launch(call.with(range_of(run.master())).with(range_of(value)));
  }
}

void Ema::swap() {
  require_in_place();
  for (const auto& [run, value] : averages_) {
    const Tensor kept = Tensor::empty(value.device(), value.shape(), DType::f32, MemoryKind::optimizer_state);
    launch_copy(value, kept);
    launch_copy(run.master(), value);
    launch_copy(kept, run.master());
  }
}

Tensor Ema::average(const nn::Parameter& parameter) const {
  require_in_place();
  for (const auto& [run, value] : averages_) {
    const bool inside = run.arena == parameter.arena() && parameter.start() >= run.start &&
                        parameter.start() + parameter.count() <= run.start + run.count;
    if (inside)
      return value.view(parameter.shape(), contiguous_strides(parameter.shape()), parameter.start() - run.start);
  }
  fail("parameter '{}' is not averaged here", parameter.name());
}

void Ema::visit_state(StateVisitor& visitor) const {
  for (const nn::Parameter& parameter : parameters_) visitor.tensor(parameter.name(), average(parameter));
}

}  // namespace amphora::optim
