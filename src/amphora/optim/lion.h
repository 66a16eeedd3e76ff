// Lion: the sign of an interpolated momentum (Chen et al., NeurIPS 2023, algorithm 2).
#pragma once

#include <vector>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct LionOptions {
  float lr = 1e-4f;  // each step moves each master by this
  double beta1 = 0.9;
  double beta2 = 0.99;
  float weight_decay = 0.0f;  // decoupled from the gradient: masters shrink by lr * weight_decay each step
};

using LionGroup = Group<LionOptions>;

// Throws Error for an option out of range.
class Lion final : public Optimizer {
 public:
  explicit Lion(const Parameters& parameters, const LionOptions& options = {}) : Lion({{parameters, options}}) {}
  explicit Lion(const std::vector<LionGroup>& groups);
};

}  // namespace amphora::optim
