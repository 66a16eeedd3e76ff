#include "amphora/app/optimizers.h"

#include <string>

#include "amphora/core/error.h"
#include "amphora/optim/adam.h"
#include "amphora/optim/sgd.h"

namespace amphora::app {

namespace {

template <class Optimizer, class OptimizerOptions>
std::unique_ptr<optim::Optimizer> make(const std::vector<nn::Parameter>& parameters, OptimizerOptions options,
                                       float lr) {
  options.lr = lr;
  return std::make_unique<Optimizer>(parameters, options);
}

constexpr OptimizerRow kRows[] = {
    {"sgd", "sgd (momentum 0.9)", 0.05f,
     [](const auto& parameters, float lr) {
       return make<optim::Sgd>(parameters, optim::SgdOptions{.momentum = 0.9f}, lr);
     }},
    {"adam", "adam", 1e-3f,
     [](const auto& parameters, float lr) { return make<optim::Adam>(parameters, optim::AdamOptions{}, lr); }},
    {"adamw", "adamw (weight decay 0.01)", 1e-3f,
     [](const auto& parameters, float lr) {
       return make<optim::AdamW>(parameters, optim::AdamOptions{.weight_decay = 0.01f}, lr);
     }},
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
