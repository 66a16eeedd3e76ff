#include "amphora/optim/ema.h"

#include <utility>

#include "amphora/core/error.h"
#include "amphora/core/place.h"
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

void Ema::update() {
  const OpPlace place("step", "ema");
  for (const auto& [run, value] : averages_) {
    const LerpParams params{static_cast<std::uint32_t>(run.count), 1.0f - decay_};
    KernelCall call(KernelId::lerp, Spec{.types = {DType::f32, DType::f32}}, params);
    value.device().launch(call.with(range_of(run.master())).with(range_of(value)));
  }
}

void Ema::swap() {
  for (const auto& [run, value] : averages_) {
    const Tensor kept = Tensor::empty(value.device(), value.shape(), DType::f32, MemoryKind::optimizer_state);
    launch_copy(value, kept);
    launch_copy(run.master(), value);
    launch_copy(kept, run.master());
  }
}

Tensor Ema::average(const nn::Parameter& parameter) const {
  for (const auto& [run, value] : averages_) {
    const bool inside = run.arena == parameter.arena() && parameter.start() >= run.start &&
                        parameter.start() + parameter.count() <= run.start + run.count;
    if (inside)
      return value.view(parameter.shape(), contiguous_strides(parameter.shape()), parameter.start() - run.start);
  }
  fail("parameter '{}' is not averaged here", parameter.name());
}

}  // namespace amphora::optim
