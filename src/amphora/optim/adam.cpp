#include "amphora/optim/adam.h"

#include <string_view>

#include "amphora/core/error.h"

namespace amphora::optim {

namespace {

template <class Options>
OptimizerParams params_of(std::string_view name, const Options& o, float l2, float weight_decay) {
  require(o.beta1 >= 0.0 && o.beta1 < 1.0 && o.beta2 >= 0.0 && o.beta2 < 1.0,
          "{}: the betas are {} and {}; they must be in [0, 1)", name, o.beta1, o.beta2);
  require(o.epsilon >= 0.0f && o.weight_decay >= 0.0f, "{}: epsilon {} and weight decay {} must be at least 0", name,
          o.epsilon, o.weight_decay);
  return optimizer_params(0, constants::adam{.complement1 = 1.0 - o.beta1,
                                             .beta2 = o.beta2,
                                             .complement2 = 1.0 - o.beta2,
                                             .epsilon = o.epsilon,
                                             .l2 = l2,
                                             .weight_decay = weight_decay});
}

}  // namespace

Adam::Adam(const std::vector<AdamGroup>& groups) : Optimizer("adam", OptimizerRule::adam) {
  for (const auto& [parameters, o] : groups) {
    add_group(parameters, o.lr, {.params = params_of(name(), o, o.weight_decay, 0), .decays = {o.beta1, o.beta2}});
  }
}

AdamW::AdamW(const std::vector<AdamWGroup>& groups) : Optimizer("adamw", OptimizerRule::adam) {
  for (const auto& [parameters, o] : groups) {
    add_group(parameters, o.lr, {.params = params_of(name(), o, 0, o.weight_decay), .decays = {o.beta1, o.beta2}});
  }
}

}  // namespace amphora::optim
