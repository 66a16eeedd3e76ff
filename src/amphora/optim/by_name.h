// The optimizers by their names, for command lines.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct NamedOptimizer {
  std::string_view name;
  std::string_view help;  // one line
  float lr;               // a usual peak rate
  std::unique_ptr<Optimizer> (*make)(const Parameters& parameters, float lr);
};

std::span<const NamedOptimizer> named_optimizers();
// With the rate and options that are usual for it. Throws Error for a name that is not in the list, and gives those
// that are.
std::unique_ptr<Optimizer> make(std::string_view name, const Parameters& parameters, float lr);

}  // namespace amphora::optim
