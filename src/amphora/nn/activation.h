// Pointwise functions as layers.
#pragma once

#include "amphora/nn/module.h"
#include "amphora/ops/pointwise.h"

namespace amphora::nn {

template <Tensor (*kFunction)(const Tensor&)>
class Pointwise : public Layer {
 protected:
  Tensor forward(const Tensor& x) override { return kFunction(x); }
};
using ReLU = Pointwise<relu>;
using GELU = Pointwise<gelu>;
using SiLU = Pointwise<silu>;
using Sigmoid = Pointwise<sigmoid>;
using Tanh = Pointwise<tanh>;

}  // namespace amphora::nn
