// The kernel calls that every layer above needs: tensors in, no tape, no policy.
#pragma once

#include <initializer_list>

#include "amphora/kernel/call.h"
#include "amphora/kernel/strided.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

// The bytes of the tensor's buffer that its view spans.
BufferRange range_of(const Tensor& tensor);
// The range of an optional operand: absent when undefined.
BufferRange range_or_absent(const Tensor& tensor);

// The number of elements as a kernel takes it. Throws Error, naming the op, where that is too many; so does set_axes().
std::uint32_t count_of(const Tensor& tensor);

// How a call's operand walks the axes of an index space, and where its parameters say so.
struct WalkedAxes {
  const Strides& strides;
  std::uint32_t* params;
};
// Writes the axes of `shape` into a call's parameters, merged where no operand can tell.
void set_axes(const Shape& shape, std::int32_t& rank, Extents& sizes, std::initializer_list<WalkedAxes> operands);

void launch_fill(const Tensor& out, float value);
// Elementwise, converting types; any strides on both sides.
void launch_copy(const Tensor& in, const Tensor& out);
// sum += in, in the type of `sum`; both contiguous.
void launch_accumulate(const Tensor& in, const Tensor& sum);

// A contiguous tensor with the same elements: the tensor itself where it is contiguous already.
Tensor contiguous(const Tensor& tensor);
// A contiguous tensor with each element rounded to `dtype`: the tensor itself where nothing changes.
Tensor converted(const Tensor& tensor, DType dtype);

}  // namespace amphora
