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
  float weight_decay = 0.0f;
};

struct AdamGroup {
  Parameters parameters;
  AdamOptions options;
};

// Weight decay as L2 regularisation: it joins the gradient, moments included.
class Adam : public Optimizer {
 public:
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {}) : Adam({{parameters, options}}) {}
  // Throws Error for an option out of range.
  explicit Adam(const std::vector<AdamGroup>& groups) : Adam("adam", groups, false) {}

 protected:
  Adam(std::string name, const std::vector<AdamGroup>& groups, bool decoupled);
  void launch_update(int group, const nn::ParameterSpan& run, const Tensor& working) override;
  Betas betas(int group) const override;

 private:
  std::vector<AdamOptions> options_;
  bool decoupled_;
};

// Weight decay decoupled from the gradient: masters shrink by lr * weight_decay each step.
class AdamW final : public Adam {
 public:
  explicit AdamW(const Parameters& parameters, AdamOptions options = {.weight_decay = 0.01f})
      : AdamW(std::vector<AdamGroup>{{parameters, options}}) {}
  explicit AdamW(const std::vector<AdamGroup>& groups) : Adam("adamw", groups, true) {}
};

}  // namespace amphora::optim
