// RMSprop (Tieleman & Hinton 2012), in PyTorch's form: epsilon stands outside the root.
#pragma once

#include <vector>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct RmspropOptions {
  float lr = 1e-2f;
  double alpha = 0.99;  // how much of the mean square stays
  float epsilon = 1e-8f;
  float momentum = 0.0f;
  float weight_decay = 0.0f;  // L2: joins the gradient
  bool centered = false;      // divides by the deviation from the mean gradient (Graves 2013)
};

using RmspropGroup = Group<RmspropOptions>;

// Throws Error for an option out of range.
class Rmsprop final : public Optimizer {
 public:
  explicit Rmsprop(const Parameters& parameters, const RmspropOptions& options = {})
      : Rmsprop({{parameters, options}}) {}
  explicit Rmsprop(const std::vector<RmspropGroup>& groups);
};

}  // namespace amphora::optim
