// Adam (Kingma & Ba, ICLR 2015, algorithm 1) and AdamW (Loshchilov & Hutter, ICLR 2019, algorithm 2).
#pragma once

#include <vector>

#include "amphora/optim/optimizer.h"

namespace amphora::optim {

struct AdamOptions {
  float lr = 1e-3f;
  double beta1 = 0.9;
  double beta2 = 0.999;
  float epsilon = 1e-8f;
  float weight_decay = 0.0f;  // L2: joins the gradient, moments included
};

using AdamGroup = Group<AdamOptions>;

// Throws Error for an option out of range.
class Adam final : public Optimizer {
 public:
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {}) : Adam({{parameters, options}}) {}
  explicit Adam(const std::vector<AdamGroup>& groups);
};

struct AdamWOptions {
  float lr = 1e-3f;
  double beta1 = 0.9;
  double beta2 = 0.999;
  float epsilon = 1e-8f;
  float weight_decay = 0.01f;  // decoupled from the gradient: masters shrink by lr * weight_decay each step
};

using AdamWGroup = Group<AdamWOptions>;

// Throws Error for an option out of range.
class AdamW final : public Optimizer {
 public:
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {}) : AdamW({{parameters, options}}) {}
  explicit AdamW(const std::vector<AdamWGroup>& groups);
};

}  // namespace amphora::optim
