#include "amphora/optim/sgd.h"

#include <algorithm>

#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

namespace {

bool uses_momentum(const std::vector<SgdGroup>& groups) {
  return std::any_of(groups.begin(), groups.end(),
                     [](const SgdGroup& group) { return group.options.momentum != 0.0f; });
}

}  // namespace

Sgd::Sgd(const std::vector<SgdGroup>& groups)
    : Optimizer("sgd", uses_momentum(groups) ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}) {
  for (const auto& [parameters, o] : groups) {
    require(o.momentum >= 0.0f && o.weight_decay >= 0.0f, "sgd: momentum {} and weight decay {} must be at least 0",
            o.momentum, o.weight_decay);
    require(!o.nesterov || (o.momentum > 0.0f && o.dampening == 0.0f),
            "sgd: nesterov needs momentum above 0 and no dampening, but they are {} and {}", o.momentum, o.dampening);
    add_group(parameters, o.lr);
    options_.push_back(o);
  }
}

void Sgd::launch_update(int group, const nn::ParameterSpan& run, const Tensor& working) {
  const SgdOptions& o = options_[static_cast<std::size_t>(group)];
  const SgdParams params{.count = static_cast<std::uint32_t>(run.count),
                         .momentum = o.momentum,
                         .dampening = o.dampening,
                         .weight_decay = o.weight_decay,
                         .nesterov = o.nesterov ? 1 : 0};
  const DType working_type = working.defined() ? working.dtype() : DType::f32;
  KernelCall call(KernelId::sgd, Spec{.types = {DType::f32, DType::f32, DType::f32, working_type}}, params);
  call.with(range_of(run.gradient())).with(range_of(run.master()));
  call.with(o.momentum != 0.0f ? range_of(state_of(run, "momentum")) : BufferRange{});
  call.with(range_or_absent(working)).with(range_of(group_at(group).state));
  run.arena->device().launch(call);
}

}  // namespace amphora::optim
