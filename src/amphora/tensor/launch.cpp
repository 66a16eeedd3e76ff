#include "amphora/tensor/launch.h"

#include "amphora/core/error.h"
#include "amphora/device/device.h"

namespace amphora {

namespace {

std::uint32_t count32(const Tensor& tensor) {
  require(tensor.count() <= INT32_MAX, "a tensor of shape {} has more elements than a kernel call can name ({})",
          tensor.shape().str(), INT32_MAX);
  return static_cast<std::uint32_t>(tensor.count());
}

}  // namespace

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

void launch_fill(const Tensor& out, float value) {
  require(out.is_contiguous(), "fill needs a contiguous tensor, but shape {} is strided", out.shape().str());
  if (out.count() == 0) return;
  KernelCall call(KernelId::fill, Spec{.types = {out.dtype()}}, FillParams{count32(out), value});
  out.device().launch(call.with(range_of(out)));
}

void launch_copy(const Tensor& in, const Tensor& out) {
  require(in.shape() == out.shape(), "copy from shape {} to shape {}", in.shape().str(), out.shape().str());
  if (out.count() == 0) return;
  const Spec spec{.types = {in.dtype(), out.dtype()}};
  if (in.is_contiguous() && out.is_contiguous()) {
    KernelCall call(KernelId::cast, spec, CountParams{count32(in)});
    out.device().launch(call.with(range_of(in)).with(range_of(out)));
    return;
  }
  CopyParams params{.rank = in.rank(), .sizes = {}, .in_strides = {}, .out_strides = {}};
  for (int axis = 0; axis < in.rank(); ++axis) {
    params.sizes[axis] = static_cast<std::int32_t>(in.size(axis));
    params.in_strides[axis] = static_cast<std::int32_t>(in.strides()[static_cast<std::size_t>(axis)]);
    params.out_strides[axis] = static_cast<std::int32_t>(out.strides()[static_cast<std::size_t>(axis)]);
  }
  KernelCall call(KernelId::copy, spec, params);
  out.device().launch(call.with(range_of(in)).with(range_of(out)));
}

void launch_accumulate(const Tensor& in, const Tensor& sum) {
  require(in.shape() == sum.shape(), "accumulate of shape {} into shape {}", in.shape().str(), sum.shape().str());
  if (sum.count() == 0) return;
  const Tensor source = contiguous(in);
  KernelCall call(KernelId::accumulate, Spec{.types = {in.dtype(), sum.dtype()}}, CountParams{count32(sum)});
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
