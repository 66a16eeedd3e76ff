// Softmax and its logarithm. Computed in f32; under autocast the result is f32 too.
#pragma once

#include "amphora/tensor/tensor.h"

namespace amphora {

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);

}  // namespace amphora
