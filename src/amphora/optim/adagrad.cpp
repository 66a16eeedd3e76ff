#include "amphora/optim/adagrad.h"

#include "amphora/core/error.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

Adagrad::Adagrad(const std::vector<AdagradGroup>& groups) : Optimizer("adagrad", OptimizerRule::adagrad) {
  for (const auto& [parameters, o] : groups) {
    require(o.lr_decay >= 0.0f && o.epsilon >= 0.0f && o.weight_decay >= 0.0f && o.initial_accumulator >= 0.0f,
            "adagrad: rate decay {}, epsilon {}, weight decay {} and initial accumulator {} must be at least 0",
            o.lr_decay, o.epsilon, o.weight_decay, o.initial_accumulator);
    const constants::adagrad values{.lr_decay = o.lr_decay, .epsilon = o.epsilon, .l2 = o.weight_decay};
    add_group(parameters, o.lr, {.params = optimizer_params(0, values)});
    if (o.initial_accumulator == 0.0f) continue;
    for (const nn::Parameter& parameter : parameters) launch_fill(state(parameter, "sum"), o.initial_accumulator);
  }
}

}  // namespace amphora::optim
