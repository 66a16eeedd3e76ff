#include "amphora/ops/view.h"

#include <algorithm>
#include <numeric>

#include "amphora/amp/policy.h"
#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/ops/op.h"

namespace amphora {

namespace {

using autograd::Gradients;

Shape resolve(const Tensor& x, std::initializer_list<std::int64_t> sizes) {
  std::vector<std::int64_t> resolved(sizes);
  const auto unknown = std::find(resolved.begin(), resolved.end(), -1);
  if (unknown != resolved.end()) {
    *unknown = 1;
    const std::int64_t known = std::accumulate(resolved.begin(), resolved.end(), std::int64_t{1}, std::multiplies<>());
    require(known > 0 && x.count() % known == 0,
            "cannot reshape {} with one extent left open: {} elements do not divide by {}", x.shape(), x.count(),
            known);
    *unknown = x.count() / known;
  }
  return Shape(resolved);
}

// Writes dy where a view read x, into a zero gradient of x's shape.
Tensor scatter_back(const Tensor& dy, const Shape& shape, const Strides& strides, std::int64_t offset) {
  Tensor dx = Tensor::zeros(dy.device(), shape, dy.dtype());
  launch_copy(dy, dx.view(dy.shape(), strides, offset));
  return dx;
}

}  // namespace

Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> shape) { return reshape(x, resolve(x, shape)); }

Tensor reshape(const Tensor& x, const Shape& shape) {
  require(shape.count() == x.count(), "cannot reshape {} to {}: the numbers of elements differ", x.shape(), shape);
  const Tensor source = contiguous(x);
  Tensor y = source.view(shape, contiguous_strides(shape), source.offset());
  autograd::record("reshape", y, {x}, [from = x.shape()](const Tensor& dy, Gradients& gradients) {
    const Tensor flat = contiguous(dy);
    gradients.give(0, flat.view(from, contiguous_strides(from), flat.offset()));
  });
  return y;
}

Tensor flatten(const Tensor& x, int start_axis) {
  const int start = x.shape().normalize(start_axis);
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < start; ++i) sizes.push_back(x.size(i));
  sizes.push_back(1);
  for (int i = start; i < x.rank(); ++i) sizes.back() *= x.size(i);
  return reshape(x, Shape(sizes));
}

Tensor permute(const Tensor& x, std::initializer_list<int> order) {
  require(static_cast<int>(order.size()) == x.rank(), "permute of shape {} needs {} axes, but got {}", x.shape(),
          x.rank(), order.size());
  std::vector<int> axes;
  std::vector<std::int64_t> sizes;
  Strides strides{};
  for (int axis : order) {
    const int from = x.shape().normalize(axis);
    require(std::find(axes.begin(), axes.end(), from) == axes.end(), "permute names axis {} twice", axis);
    strides[axes.size()] = x.strides()[static_cast<std::size_t>(from)];
    sizes.push_back(x.size(from));
    axes.push_back(from);
  }
  Tensor y = x.view(Shape(sizes), strides, x.offset());
  autograd::record("permute", y, {x}, [axes, from = x.shape()](const Tensor& dy, Gradients& gradients) {
    Strides back{};
    for (std::size_t i = 0; i < axes.size(); ++i) back[static_cast<std::size_t>(axes[i])] = dy.strides()[i];
    gradients.give(0, dy.view(from, back, dy.offset()));
  });
  return y;
}

Tensor transpose(const Tensor& x, int axis0, int axis1) {
  const int a = x.shape().normalize(axis0);
  const int b = x.shape().normalize(axis1);
  const Shape shape = x.shape().with(a, x.size(b)).with(b, x.size(a));
  const auto swapped = [a, b](Strides strides) {
    std::swap(strides[static_cast<std::size_t>(a)], strides[static_cast<std::size_t>(b)]);
    return strides;
  };
  Tensor y = x.view(shape, swapped(x.strides()), x.offset());
  autograd::record("transpose", y, {x}, [swapped, from = x.shape()](const Tensor& dy, Gradients& gradients) {
    gradients.give(0, dy.view(from, swapped(dy.strides()), dy.offset()));
  });
  return y;
}

Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t length) {
  const int a = x.shape().normalize(axis);
  require(start >= 0 && length >= 0 && start + length <= x.size(a), "slice [{}, {}) leaves axis {} of shape {}", start,
          start + length, axis, x.shape());
  const std::int64_t stride = x.strides()[static_cast<std::size_t>(a)];
  Tensor y = x.view(x.shape().with(a, length), x.strides(), x.offset() + start * stride);
  autograd::record("slice", y, {x}, [from = x.shape(), a, start](const Tensor& dy, Gradients& gradients) {
    const Strides strides = contiguous_strides(from);
    gradients.give(0, scatter_back(dy, from, strides, start * strides[static_cast<std::size_t>(a)]));
  });
  return y;
}

Tensor squeeze(const Tensor& x, int axis) {
  require(x.size(axis) == 1, "squeeze of axis {} with extent {} in shape {}", axis, x.size(axis), x.shape());
  return reshape(x, x.shape().without(axis));
}

Tensor unsqueeze(const Tensor& x, int axis) {
  const int at = axis < 0 ? axis + x.rank() + 1 : axis;
  require(at >= 0 && at <= x.rank(), "unsqueeze at axis {} of shape {}", axis, x.shape());
  std::vector<std::int64_t> sizes;
  for (int i = 0; i < x.rank(); ++i) sizes.push_back(x.size(i));
  sizes.insert(sizes.begin() + at, 1);
  return reshape(x, Shape(sizes));
}

Tensor expand(const Tensor& x, const Shape& shape) {
  require(broadcast_shapes(x.shape(), shape) == shape, "shape {} does not expand to {}", x.shape(), shape);
  Tensor y = x.view(shape, broadcast_strides(x.shape(), x.strides(), shape), x.offset());
  autograd::record("expand", y, {x}, [from = x.shape()](const Tensor& dy, Gradients& gradients) {
    gradients.give(0, ops::sum_to(dy, from, dy.dtype()));
  });
  return y;
}

Tensor cat(const std::vector<Tensor>& tensors, int axis) {
  require(!tensors.empty(), "cat of no tensors");
  const Tensor& first = tensors.front();
  const int a = first.shape().normalize(axis);
  std::vector<amp::Operand> operands;
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) {
    require(tensor.rank() == first.rank() && tensor.shape().with(a, 1) == first.shape().with(a, 1),
            "cat along axis {} of shapes {} and {}", axis, first.shape(), tensor.shape());
    operands.push_back({tensor.dtype(), false});
    total += tensor.size(a);
  }
  Tensor y = Tensor::empty(first.device(), first.shape().with(a, total), amp::promote_operands(operands));
  const std::int64_t step = y.strides()[static_cast<std::size_t>(a)];
  std::int64_t start = 0;
  for (const Tensor& tensor : tensors) {
    launch_copy(tensor, y.view(tensor.shape(), y.strides(), start * step));
    start += tensor.size(a);
  }
  std::vector<std::int64_t> lengths;
  for (const Tensor& tensor : tensors) lengths.push_back(tensor.size(a));
  autograd::record("cat", {y}, tensors, [lengths, a](const Tensor& dy, Gradients& gradients) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (gradients.wanted(static_cast<int>(i))) gradients.give(static_cast<int>(i), slice(dy, a, from, lengths[i]));
      from += lengths[i];
    }
  });
  return y;
}

Tensor stack(const std::vector<Tensor>& tensors, int axis) {
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (const Tensor& tensor : tensors) rows.push_back(unsqueeze(tensor, axis));
  return cat(rows, axis);
}

}  // namespace amphora
