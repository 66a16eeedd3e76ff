// Reductions over one axis or over all elements; sums are gathered in f32 whatever the input's type.
//
// Under autocast sum() gives f32 while mean(), max() and min() give the input's type, as PyTorch's list has it.
#pragma once

#include "amphora/tensor/tensor.h"

namespace amphora {

// Over all elements: a scalar (rank 0).
Tensor sum(const Tensor& x);
Tensor mean(const Tensor& x);
// Over one axis, which disappears unless `keep_axis`. Throws Error for max and min over an empty axis.
Tensor sum(const Tensor& x, int axis, bool keep_axis = false);
Tensor mean(const Tensor& x, int axis, bool keep_axis = false);
// NaN wins. The gradient is shared equally among ties.
Tensor max(const Tensor& x, int axis, bool keep_axis = false);
Tensor min(const Tensor& x, int axis, bool keep_axis = false);

}  // namespace amphora
