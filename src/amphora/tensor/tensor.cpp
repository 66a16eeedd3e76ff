#include "amphora/tensor/tensor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora {

struct Tensor::Impl {
  BufferPtr buffer;
  std::int64_t offset;
  Shape shape;
  Strides strides;
  DType dtype;
  std::shared_ptr<autograd::Node> node;  // set: computed by an op on the tape
  int output_index;                      // of the node's outputs
  std::shared_ptr<autograd::Leaf> leaf;  // set: a gradient gathers here
};

namespace {

template <class T>
Tensor from_values(Device& device, const Shape& shape, std::span<const T> values, DType dtype, MemoryKind kind) {
  require(static_cast<std::int64_t>(values.size()) == shape.count(), "{} values were given for a tensor of shape {}",
          values.size(), shape);
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  visit_dtype(dtype, [&]<class Element>() {
    auto* out = reinterpret_cast<Element*>(bytes.data());
    std::transform(values.begin(), values.end(), out, [](T value) { return round_element<Element>(value); });
  });
  Tensor result = Tensor::empty(device, shape, dtype, kind);
  device.upload(*result.buffer(), 0, bytes);
  return result;
}

}  // namespace

Tensor::Tensor(BufferPtr buffer, std::int64_t offset, const Shape& shape, const Strides& strides, DType dtype)
    : impl_(std::make_shared<Impl>(Impl{std::move(buffer), offset, shape, strides, dtype, nullptr, 0, nullptr})) {}

Tensor Tensor::empty(Device& device, const Shape& shape, DType dtype, MemoryKind kind) {
  const auto bytes = static_cast<std::size_t>(shape.count()) * size_of(dtype);
  return {device.allocate(bytes, kind), 0, shape, contiguous_strides(shape), dtype};
}

Tensor Tensor::zeros(Device& device, const Shape& shape, DType dtype, MemoryKind kind) {
  return full(device, shape, 0.0, dtype, kind);
}

Tensor Tensor::full(Device& device, const Shape& shape, double value, DType dtype, MemoryKind kind) {
  const auto narrow = static_cast<float>(value);
  // The kernel's value is f32; what f32 does not hold would be rounded twice.
  if (dtype != DType::f32 && std::isfinite(value) && narrow != value) {
    const std::vector<double> values(static_cast<std::size_t>(shape.count()), value);
    return from_values<double>(device, shape, values, dtype, kind);
  }
  Tensor result = empty(device, shape, dtype, kind);
  launch_fill(result, narrow);
  return result;
}

Tensor Tensor::from(Device& device, const Shape& shape, std::span<const float> values, DType dtype, MemoryKind kind) {
  return from_values(device, shape, values, dtype, kind);
}

Tensor Tensor::from(Device& device, const Shape& shape, std::span<const double> values, DType dtype) {
  return from_values(device, shape, values, dtype, MemoryKind::activations);
}

Tensor Tensor::from(Device& device, const Shape& shape, std::span<const std::int32_t> values, MemoryKind kind) {
  return from_values(device, shape, values, DType::i32, kind);
}

const Shape& Tensor::shape() const {
  require(defined(), "an undefined tensor has no shape; was it moved from, or is it a gradient before backward()?");
  return impl_->shape;
}
const Strides& Tensor::strides() const { return impl_->strides; }
DType Tensor::dtype() const {
  require(defined(), "an undefined tensor has no type; was it moved from, or is it a gradient before backward()?");
  return impl_->dtype;
}
std::int64_t Tensor::offset() const { return impl_->offset; }
const BufferPtr& Tensor::buffer() const { return impl_->buffer; }
Device& Tensor::device() const {
  require(defined(), "an undefined tensor is on no device");
  return impl_->buffer->device();
}

bool Tensor::is_contiguous() const {
  std::int64_t step = 1;
  for (int axis = rank() - 1; axis >= 0; --axis) {
    const std::int64_t size = shape()[axis];
    if (size != 1 && impl_->strides[static_cast<std::size_t>(axis)] != step) return count() == 0;
    step *= size;
  }
  return true;
}

Tensor Tensor::view(const Shape& shape, const Strides& strides, std::int64_t offset) const {
  return {impl_->buffer, offset, shape, strides, impl_->dtype};
}

void Tensor::rebind(const Tensor& memory) const {
  require(memory.shape() == shape() && memory.dtype() == dtype(), "rebind of a {} tensor of shape {} to {} of shape {}",
          name_of(dtype()), shape(), name_of(memory.dtype()), memory.shape());
  impl_->buffer = memory.buffer();
  impl_->offset = memory.offset();
  impl_->strides = memory.strides();
}

void Tensor::assign(std::span<const float> values) const {
  require(is_contiguous(), "assign needs a contiguous tensor, but this view of shape {} is strided", shape());
  require(static_cast<std::int64_t>(values.size()) == count(), "assign of {} values to a tensor of shape {}",
          values.size(), shape());
  const Tensor source = from(device(), shape(), values, dtype(), buffer()->kind());
  launch_copy(source, *this);
}

std::vector<double> Tensor::to_doubles(CodeLine where) const {
  Tensor source = *this;
  if (!is_contiguous()) {
    source = empty(device(), shape(), dtype());
    launch_copy(*this, source);
  }
  const std::size_t element = size_of(dtype());
  std::vector<std::byte> bytes(static_cast<std::size_t>(count()) * element);
  device().download(*source.buffer(), static_cast<std::size_t>(source.offset()) * element, bytes, where);
  std::vector<double> values(static_cast<std::size_t>(count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = load_element(dtype(), bytes.data(), i);
  return values;
}

std::vector<float> Tensor::to_vector(CodeLine where) const {
  const std::vector<double> values = to_doubles(where);
  return {values.begin(), values.end()};
}

double Tensor::item(CodeLine where) const {
  require(count() == 1, "item() needs a tensor with one element, but this one has shape {}", shape());
  return to_doubles(where).front();
}

const std::shared_ptr<autograd::Node>& Tensor::node() const { return impl_->node; }
const std::shared_ptr<autograd::Leaf>& Tensor::leaf() const { return impl_->leaf; }
int Tensor::output_index() const { return impl_->output_index; }
void Tensor::set_node(std::shared_ptr<autograd::Node> node, int output_index) const {
  impl_->node = std::move(node);
  impl_->output_index = output_index;
}
void Tensor::set_leaf(std::shared_ptr<autograd::Leaf> leaf) const { impl_->leaf = std::move(leaf); }

}  // namespace amphora
