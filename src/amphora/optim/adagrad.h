// Adagrad (Duchi et al., JMLR 2011), in PyTorch's form.
#pragma once

#include <vector>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct AdagradOptions {
  float lr = 1e-2f;
  float lr_decay = 0.0f;  // the rate of step t, counted from 0, is lr / (1 + lr_decay * t)
  float epsilon = 1e-10f;
  float weight_decay = 0.0f;         // L2: joins the gradient
  float initial_accumulator = 0.0f;  // what sums of squares begin with
};

using AdagradGroup = Group<AdagradOptions>;

// Throws Error for an option out of range.
class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const Parameters& parameters, const AdagradOptions& options = {})
      : Adagrad({{parameters, options}}) {}
  explicit Adagrad(const std::vector<AdagradGroup>& groups);
};

}  // namespace amphora::optim
