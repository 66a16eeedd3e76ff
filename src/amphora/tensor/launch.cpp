#include "amphora/tensor/launch.h"

#include <array>

#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/device/device.h"

namespace amphora {

BufferRange range_of(const Tensor& tensor) {
  const auto element = size_of(tensor.dtype());
  std::int64_t last = 0;
  for (int axis = 0; axis < tensor.rank(); ++axis) {
    if (tensor.size(axis) == 0) return {tensor.buffer().get(), static_cast<std::size_t>(tensor.offset()) * element, 0};
    last += (tensor.size(axis) - 1) * tensor.strides()[static_cast<std::size_t>(axis)];
  }
  return {tensor.buffer().get(), static_cast<std::size_t>(tensor.offset()) * element,
          (static_cast<std::size_t>(last) + 1) * element};
}

BufferRange range_or_absent(const Tensor& tensor) { return tensor.defined() ? range_of(tensor) : BufferRange{}; }

std::uint32_t count_of(const Tensor& tensor) { return narrow<std::uint32_t>(tensor.count(), "number of elements"); }

void set_axes(const Shape& shape, std::int32_t& rank, Extents& sizes, std::initializer_list<WalkedAxes> operands) {
  narrow<std::uint32_t>(shape.count(), "number of elements");
  std::array<std::uint32_t*, 3> all{};
  std::size_t count = 0;
  for (const auto& [strides, params] : operands) all.at(count++) = params;
  rank = shape.rank();
  for (int axis = 0; axis < rank; ++axis) {
    sizes[axis] = narrow<std::uint32_t>(shape[axis], "size of an axis");
    // An axis of one element may have any stride.
    const auto at = static_cast<std::size_t>(axis);
    for (const auto& [strides, params] : operands) {
      params[axis] = shape[axis] == 1 ? 0 : narrow<std::uint32_t>(strides[at], "distance between an axis' elements");
    }
  }
  merge_axes(rank, sizes, std::span(all.data(), count));
}

void launch_fill(const Tensor& out, float value) {
  require(out.is_contiguous(), "fill needs a contiguous tensor, but shape {} is strided", out.shape());
  KernelCall call(KernelId::fill, Spec{.types = {out.dtype()}}, FillParams{count_of(out), value});
  out.device().launch(call.with(range_of(out)));
}

void launch_copy(const Tensor& in, const Tensor& out) {
  require(in.shape() == out.shape(), "copy from shape {} to shape {}", in.shape(), out.shape());
  const Spec spec{.types = {in.dtype(), out.dtype()}};
  if (in.is_contiguous() && out.is_contiguous()) {
    KernelCall call(KernelId::cast, spec, CountParams{count_of(in)});
    out.device().launch(call.with(range_of(in)).with(range_of(out)));
    return;
  }
  CopyParams params{};
  set_axes(in.shape(), params.rank, params.sizes,
           {{in.strides(), params.in_strides}, {out.strides(), params.out_strides}});
  KernelCall call(KernelId::copy, spec, params);
  out.device().launch(call.with(range_of(in)).with(range_of(out)));
}

void launch_accumulate(const Tensor& in, const Tensor& sum) {
  require(in.shape() == sum.shape(), "accumulate of shape {} into shape {}", in.shape(), sum.shape());
  const Tensor source = contiguous(in);
  KernelCall call(KernelId::accumulate, Spec{.types = {in.dtype(), sum.dtype()}}, CountParams{count_of(sum)});
  sum.device().launch(call.with(range_of(source)).with(range_of(sum)));
}

Tensor contiguous(const Tensor& tensor) { return tensor.is_contiguous() ? tensor : converted(tensor, tensor.dtype()); }

Tensor converted(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype && tensor.is_contiguous()) return tensor;
  Tensor result = Tensor::empty(tensor.device(), tensor.shape(), dtype);
  launch_copy(tensor, result);
  return result;
}

}  // namespace amphora
