#include "amphora/optim/adam.h"

#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

Adam::Adam(std::string name, const std::vector<AdamGroup>& groups, bool decoupled)
    : Optimizer(name, {"m", "v"}), decoupled_(decoupled) {
  for (const auto& [parameters, o] : groups) {
    require(o.beta1 >= 0.0 && o.beta1 < 1.0 && o.beta2 >= 0.0 && o.beta2 < 1.0,
            "{}: the betas are {} and {}; they must be in [0, 1)", name, o.beta1, o.beta2);
    require(o.epsilon >= 0.0f && o.weight_decay >= 0.0f, "{}: epsilon {} and weight decay {} must be at least 0", name,
            o.epsilon, o.weight_decay);
    add_group(parameters, o.lr);
    options_.push_back(o);
  }
}

Optimizer::Betas Adam::betas(int group) const {
  const AdamOptions& o = options_[static_cast<std::size_t>(group)];
  return {o.beta1, o.beta2};
}

void Adam::launch_update(int group, const nn::ParameterSpan& run, const Tensor& working) {
  const AdamOptions& o = options_[static_cast<std::size_t>(group)];
  const AdamParams params{.count = static_cast<std::uint32_t>(run.count),
                          .beta1 = static_cast<float>(o.beta1),
                          .beta1_low = low_part(o.beta1),
                          .beta2 = static_cast<float>(o.beta2),
                          .beta2_low = low_part(o.beta2),
                          .epsilon = o.epsilon,
                          .weight_decay = o.weight_decay,
                          .decoupled = decoupled_ ? 1 : 0};
  const DType working_type = working.defined() ? working.dtype() : DType::f32;
  KernelCall call(KernelId::adam, Spec{.types = {DType::f32, DType::f32, working_type, DType::f32}}, params);
  call.with(range_of(run.gradient())).with(range_of(run.master())).with(range_or_absent(working));
  call.with(range_of(state_of(run, "m"))).with(range_of(state_of(run, "v"))).with(range_of(group_at(group).state));
  run.arena->device().launch(call);
}

}  // namespace amphora::optim
