// Tensor: a typed, strided view of a device buffer, with its place on the autograd tape.
//
// A Tensor is a handle: copies share the same elements and the same place on the tape, and what writes through one -
// elements, gradient, memory - is const; only assigning another tensor changes the handle. Elements live on the device;
// only to_vector(), item() and their callers wait for it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "amphora/core/buffer.h"
#include "amphora/core/dtype.h"
#include "amphora/core/place.h"
#include "amphora/core/shape.h"

namespace amphora {

namespace autograd {
class Node;
struct Leaf;
}  // namespace autograd

class Tensor {
 public:
  Tensor() = default;  // undefined

  // A view of `buffer`; `offset` and `strides` count elements.
  Tensor(BufferPtr buffer, std::int64_t offset, const Shape& shape, const Strides& strides, DType dtype);

  static Tensor empty(Device& device, const Shape& shape, DType dtype, MemoryKind kind = MemoryKind::activations);
  static Tensor zeros(Device& device, const Shape& shape, DType dtype = DType::f32,
                      MemoryKind kind = MemoryKind::activations);
  static Tensor full(Device& device, const Shape& shape, double value, DType dtype = DType::f32,
                     MemoryKind kind = MemoryKind::activations);
  // Copies host values, rounding each to `dtype`. Throws Error if the number of values differs from the shape's.
  static Tensor from(Device& device, const Shape& shape, std::span<const float> values, DType dtype = DType::f32,
                     MemoryKind kind = MemoryKind::activations);
  static Tensor from(Device& device, const Shape& shape, std::span<const double> values, DType dtype);
  static Tensor from(Device& device, const Shape& shape, std::span<const std::int32_t> values,
                     MemoryKind kind = MemoryKind::activations);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const;
  const Strides& strides() const;
  DType dtype() const;
  std::int64_t offset() const;  // of the first element in the buffer, in elements
  std::int64_t count() const { return shape().count(); }
  int rank() const { return shape().rank(); }
  std::int64_t size(int axis) const { return shape()[axis]; }
  bool is_contiguous() const;
  const BufferPtr& buffer() const;
  Device& device() const;

  // Another view of the same elements, off the tape.
  Tensor view(const Shape& shape, const Strides& strides, std::int64_t offset) const;
  Tensor detach() const { return view(shape(), strides(), offset()); }

  // Points every handle of this tensor at other memory of the same shape and type.
  void rebind(const Tensor& memory) const;

  // Overwrites the elements from the host, off the tape. Needs a contiguous tensor.
  void assign(std::span<const float> values) const;

  // These wait for the device. Within a step that is captured they throw StateError, naming the op and `where`.
  std::vector<float> to_vector(CodeLine where = CodeLine::current()) const;
  std::vector<double> to_doubles(CodeLine where = CodeLine::current()) const;
  // The only element; throws Error if there are more.
  double item(CodeLine where = CodeLine::current()) const;

  // --- the tape (src/autograd) ---
  bool requires_grad() const;
  // Makes this tensor a leaf whose gradient backward() accumulates. Throws Error unless the type is floating.
  // Gives the same tensor.
  Tensor set_requires_grad(bool on = true) const;
  // The accumulated gradient; undefined before the first backward() and after clear_grad().
  Tensor grad() const;
  void set_grad(const Tensor& gradient) const;
  void clear_grad() const;
  // Accumulates d(this)/d(leaf) into every leaf that this scalar was computed from, then frees the tape behind it.
  // Throws Error for a tensor that is not on the tape or has more than one element (pass a seed gradient then).
  void backward() const;
  void backward(const Tensor& seed) const;

  const std::shared_ptr<autograd::Node>& node() const;
  const std::shared_ptr<autograd::Leaf>& leaf() const;
  int output_index() const;  // which of the node's outputs it is
  void set_node(std::shared_ptr<autograd::Node> node, int output_index = 0) const;
  void set_leaf(std::shared_ptr<autograd::Leaf> leaf) const;

  // Two handles of the same tensor object.
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace amphora
