#include "amphora/optim/by_name.h"

#include <string>

#include "amphora/core/error.h"
#include "amphora/optim/adagrad.h"
#include "amphora/optim/adam.h"
#include "amphora/optim/lion.h"
#include "amphora/optim/rmsprop.h"
#include "amphora/optim/sgd.h"

namespace amphora::optim {

namespace {

template <class Kind, auto options>
std::unique_ptr<Optimizer> make_with(const Parameters& parameters, float lr) {
  auto with_rate = options;
  with_rate.lr = lr;
  return std::make_unique<Kind>(parameters, with_rate);
}

constexpr NamedOptimizer kNamed[] = {
    {"sgd", "stochastic gradient descent, momentum 0.9", 0.05f, make_with<Sgd, SgdOptions{.momentum = 0.9f}>},
    {"adam", "Adam", 1e-3f, make_with<Adam, AdamOptions{}>},
    {"adamw", "Adam with decoupled weight decay 0.01", 1e-3f, make_with<AdamW, AdamWOptions{}>},
    {"lion", "sign of the momentum, weight decay 0.1", 1e-4f, make_with<Lion, LionOptions{.weight_decay = 0.1f}>},
    {"rmsprop", "gradients over their root mean square", 1e-3f, make_with<Rmsprop, RmspropOptions{}>},
    {"adagrad", "gradients over the root of their squares' sum", 1e-2f, make_with<Adagrad, AdagradOptions{}>},
};

}  // namespace

std::span<const NamedOptimizer> named_optimizers() { return kNamed; }

std::unique_ptr<Optimizer> make(std::string_view name, const Parameters& parameters, float lr) {
  std::string known;
  for (const NamedOptimizer& named : kNamed) {
    if (named.name == name) return named.make(parameters, lr);
    known += known.empty() ? "" : ", ";
    known += named.name;
  }
  fail("there is no optimizer '{}'; there are {}", name, known);
}

}  // namespace amphora::optim
