#include "amphora/optim/lion.h"

#include "amphora/core/error.h"

namespace amphora::optim {

Lion::Lion(const std::vector<LionGroup>& groups) : Optimizer("lion", OptimizerRule::lion) {
  for (const auto& [parameters, o] : groups) {
    require(o.beta1 >= 0.0 && o.beta1 < 1.0 && o.beta2 >= 0.0 && o.beta2 < 1.0,
            "lion: the betas are {} and {}; they must be in [0, 1)", o.beta1, o.beta2);
    require(o.weight_decay >= 0.0f, "lion: weight decay {} must be at least 0", o.weight_decay);
    const constants::lion values{.beta1 = o.beta1,
                                 .complement1 = 1.0 - o.beta1,
                                 .beta2 = o.beta2,
                                 .complement2 = 1.0 - o.beta2,
                                 .weight_decay = o.weight_decay};
    add_group(parameters, o.lr, {.params = optimizer_params(0, values)});
  }
}

}  // namespace amphora::optim
