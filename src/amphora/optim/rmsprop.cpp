#include "amphora/optim/rmsprop.h"

#include "amphora/core/error.h"

namespace amphora::optim {

Rmsprop::Rmsprop(const std::vector<RmspropGroup>& groups) : Optimizer("rmsprop", OptimizerRule::rmsprop) {
  for (const auto& [parameters, o] : groups) {
    require(o.alpha >= 0.0 && o.alpha < 1.0, "rmsprop: alpha is {}; it must be in [0, 1)", o.alpha);
    require(o.epsilon >= 0.0f && o.momentum >= 0.0f && o.weight_decay >= 0.0f,
            "rmsprop: epsilon {}, momentum {} and weight decay {} must be at least 0", o.epsilon, o.momentum,
            o.weight_decay);
    const constants::rmsprop values{
        .alpha = o.alpha, .complement = 1.0 - o.alpha, .epsilon = o.epsilon, .mu = o.momentum, .l2 = o.weight_decay};
    add_group(parameters, o.lr,
              {.params = optimizer_params(0, values), .states_used = {true, o.momentum != 0.0f, o.centered}});
  }
}

}  // namespace amphora::optim
