// Views: other shapes and orders of the same elements. None of them copies, except contiguous(), cat() and stack().
#pragma once

#include <vector>

#include "amphora/tensor/tensor.h"

namespace amphora {

// `shape` may have one extent of -1, which takes what is left. Copies only if the elements' order demands it.
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> shape);
Tensor reshape(const Tensor& x, const Shape& shape);
// [N, ...] to [N, product of the rest].
Tensor flatten(const Tensor& x, int start_axis = 1);
Tensor permute(const Tensor& x, std::initializer_list<int> order);
Tensor transpose(const Tensor& x, int axis0 = -2, int axis1 = -1);
// Elements [start, start + length) of an axis.
Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t length);
Tensor squeeze(const Tensor& x, int axis);
Tensor unsqueeze(const Tensor& x, int axis);
// Repeats axes of extent 1 (and new leading axes) to `shape`, without copying.
Tensor expand(const Tensor& x, const Shape& shape);

// The result's type is what the inputs promote to.
Tensor cat(const std::vector<Tensor>& tensors, int axis);
Tensor stack(const std::vector<Tensor>& tensors, int axis);

}  // namespace amphora
