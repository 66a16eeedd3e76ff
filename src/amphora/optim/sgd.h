// Stochastic gradient descent with momentum (PyTorch's form: the rate multiplies the momentum buffer).
#pragma once

#include <vector>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct SgdOptions {
  float lr = 1e-2f;
  float momentum = 0.0f;
  float dampening = 0.0f;
  float weight_decay = 0.0f;  // L2: joins the gradient
  bool nesterov = false;      // needs momentum > 0 and no dampening
};

using SgdGroup = Group<SgdOptions>;

// Throws Error for an option out of range.
class Sgd final : public Optimizer {
 public:
  explicit Sgd(const Parameters& parameters, const SgdOptions& options = {}) : Sgd({{parameters, options}}) {}
  explicit Sgd(const std::vector<SgdGroup>& groups);
};

}  // namespace amphora::optim
