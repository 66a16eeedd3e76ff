// Matrix products. Under autocast they run in the region's 16-bit type; sums are always gathered in f32.
#pragma once

#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

// [.., M, K] x [.., K, N] -> [.., M, N]. Leading axes must be equal, or `b` is a plain [K, N] matrix. Transposed views
// are read in place. Throws Error when extents or types don't fit.
Tensor matmul(const Tensor& a, const Tensor& b);

// activation(x w^T + bias): x is [.., in], w [out, in], bias [out] or undefined; the result is [.., out]. The bias and
// the activation apply to the f32 sum, which is rounded once. Gradients of f32 leaves are added up in f32 by the
// product itself.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Activation activation = Activation::none);

}  // namespace amphora
