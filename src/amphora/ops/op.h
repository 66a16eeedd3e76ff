// OpScope: what every op does first. The one place where the policy meets tensors.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "amphora/amp/policy.h"
#include "amphora/autograd/tape.h"
#include "amphora/core/context.h"
#include "amphora/tensor/launch.h"
#include "amphora/tensor/tensor.h"

namespace amphora::ops {

// Whether an op's kernels read inputs of any floating type and compute in f32 by themselves. Such a kernel needs no
// cast to f32: the conversion happens in its load.
enum class InputCast : std::uint8_t { before, in_kernel };

// Asks the policy about an op and its inputs, converts the inputs that must be (through a fresh working copy where the
// input is a parameter), and tells the trace.
class OpScope {
 public:
  // Undefined tensors among `inputs` are optional operands that are absent. Converted ones are replaced in place.
  // Throws Error when the policy refuses, or the inputs are on several devices.
  // `epilogue` names what the kernel does to the result, for the trace.
  OpScope(std::string_view op, std::initializer_list<Tensor*> inputs, InputCast loads = InputCast::before,
          std::string_view epilogue = {});
  OpScope(const amp::OpInfo& op, std::initializer_list<Tensor*> inputs, InputCast loads = InputCast::before,
          std::string_view epilogue = {});

  // The type of the op's result: what the inputs promote to after the rule's conversions.
  DType result() const { return decision_.result; }
  Device& device() const { return *device_; }
  // Throws Error, naming the op and all its inputs, unless all defined inputs have one type.
  void require_one_type() const;

 private:
  void convert(Tensor& input, DType target, int position);

  const amp::OpInfo& op_;
  OpPlace place_;
  std::vector<Tensor*> inputs_;
  amp::Decision decision_;
  Device* device_ = nullptr;
  std::vector<std::string> casts_;
};

// A differentiable conversion; the tensor itself where the type is right already. Under no policy.
Tensor cast(const Tensor& x, DType dtype);

// Sums a gradient over the axes that broadcasting repeated, so that it has `shape`; the result has type `dtype`.
Tensor sum_to(const Tensor& gradient, const Shape& shape, DType dtype);

}  // namespace amphora::ops

namespace amphora {
using ops::cast;
}
