// Dropout as a layer, which counts its masks.
#pragma once

#include <cstdint>
#include <memory>

#include "amphora/core/rng.h"
#include "amphora/nn/init.h"
#include "amphora/nn/module.h"

namespace amphora::nn {

// Zeroes elements with probability `p` while training, and scales the rest by 1 / (1 - p). Each call draws a mask of
// its own.
class Dropout : public Layer {
 public:
  // Throws Error unless 0 <= p < 1.
  Dropout(const Init& init, float p);
  void visit_parts(PartVisitor& visit) override;

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Draw next_call();

  RandomStream stream_;
  float p_;
  std::shared_ptr<std::uint32_t> calls_ = std::make_shared<std::uint32_t>(0);  // shared with recorded steps
};

}  // namespace amphora::nn
