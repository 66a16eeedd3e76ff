#include "amphora/app/optimizers.h"

#include <string>

#include "amphora/core/error.h"
#include "amphora/optim/adagrad.h"
#include "amphora/optim/adam.h"
#include "amphora/optim/lion.h"
#include "amphora/optim/rmsprop.h"
#include "amphora/optim/sgd.h"

namespace amphora::app {

namespace {

using optim::Parameters;

template <class Optimizer, class OptimizerOptions>
std::unique_ptr<optim::Optimizer> make(const Parameters& parameters, OptimizerOptions options, float lr) {
  options.lr = lr;
  return std::make_unique<Optimizer>(parameters, options);
}

constexpr OptimizerRow kRows[] = {
    {"sgd", "sgd (momentum 0.9)", 0.05f,
     [](const Parameters& p, float lr) { return make<optim::Sgd>(p, optim::SgdOptions{.momentum = 0.9f}, lr); }},
    {"adam", "adam", 1e-3f,
     [](const Parameters& p, float lr) { return make<optim::Adam>(p, optim::AdamOptions{}, lr); }},
    {"adamw", "adamw (weight decay 0.01)", 1e-3f,
     [](const Parameters& p, float lr) { return make<optim::AdamW>(p, optim::AdamWOptions{}, lr); }},
    {"lion", "lion (weight decay 0.1)", 1e-4f,
     [](const Parameters& p, float lr) { return make<optim::Lion>(p, optim::LionOptions{.weight_decay = 0.1f}, lr); }},
    {"rmsprop", "rmsprop", 1e-3f,
     [](const Parameters& p, float lr) { return make<optim::Rmsprop>(p, optim::RmspropOptions{}, lr); }},
    {"adagrad", "adagrad", 1e-2f,
     [](const Parameters& p, float lr) { return make<optim::Adagrad>(p, optim::AdagradOptions{}, lr); }},
};

}  // namespace

std::span<const OptimizerRow> optimizers() { return kRows; }

const OptimizerRow& optimizer_named(std::string_view name) {
  std::string names;
  for (const OptimizerRow& row : kRows) {
    if (row.name == name) return row;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  fail("there is no optimizer '{}'; choose one of {}", name, names);
}

}  // namespace amphora::app
