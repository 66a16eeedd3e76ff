#include "amphora/optim/sgd.h"

#include "amphora/core/error.h"

namespace amphora::optim {

Sgd::Sgd(const std::vector<SgdGroup>& groups) : Optimizer("sgd", OptimizerRule::sgd) {
  for (const auto& [parameters, o] : groups) {
    require(o.momentum >= 0.0f && o.weight_decay >= 0.0f, "sgd: momentum {} and weight decay {} must be at least 0",
            o.momentum, o.weight_decay);
    require(!o.nesterov || (o.momentum > 0.0f && o.dampening == 0.0f),
            "sgd: nesterov needs momentum above 0 and no dampening, but they are {} and {}", o.momentum, o.dampening);
    const constants::sgd values{
        .mu = o.momentum, .undamped = 1.0f - o.dampening, .l2 = o.weight_decay, .nesterov = o.nesterov ? 1.0 : 0.0};
    add_group(parameters, o.lr, {.params = optimizer_params(0, values), .states_used = {o.momentum != 0.0f}});
  }
}

}  // namespace amphora::optim
