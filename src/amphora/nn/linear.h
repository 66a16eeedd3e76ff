// Linear: a product with a trained matrix.
#pragma once

#include <cstdint>

#include "amphora/kernel/call.h"
#include "amphora/nn/init.h"
#include "amphora/nn/module.h"

namespace amphora::nn {

struct LinearOptions {
  bool bias = true;
  // Applied to the f32 sum inside the product, before the result is rounded.
  Activation activation = Activation::none;
};

// y = activation(x W^T + b): x [.., in], W [out, in], b [out]. Initial values are uniform within 1 / sqrt(in).
class Linear : public Layer {
 public:
  // Throws Error unless both are positive.
  Linear(const Init& init, std::int64_t in, std::int64_t out, LinearOptions options = {});
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }  // empty handle without a bias
  void visit_parts(PartVisitor& visit) override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  LinearOptions options_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace amphora::nn
