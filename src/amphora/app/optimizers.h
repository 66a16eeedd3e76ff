// The optimizers by name, as --optimizer offers them.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "amphora/optim/optimizer.h"

namespace amphora::app {

struct OptimizerRow {
  std::string_view name;  // "sgd"
  std::string_view help;  // "sgd (momentum 0.9)"
  float lr;               // unless --lr says otherwise
  std::unique_ptr<optim::Optimizer> (*make)(const optim::Parameters& parameters, float lr);
};

std::span<const OptimizerRow> optimizers();

// Throws Error, with the names that there are, for another one.
const OptimizerRow& optimizer_named(std::string_view name);

}  // namespace amphora::app
