// Fused kernels (AMPHORA_FUSED in kernels.def): where a device lacks one, its op is composed of others.
#pragma once

#include <vector>

#include "amphora/core/context.h"
#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora::ops {

// Runs a fused kernel on tensors in the order of its row; undefined ones stand for optional operands that are absent.
// `call` has no buffers yet, and its types are the tensors'. Each tensor's elements must lie as the row says. A device
// that refuses the kernel runs its decomposition. Throws Error as Device::launch() does.
void launch_fused(const KernelCall& call, const std::vector<Tensor>& tensors);

// The same, by the decomposition whatever the device has.
void compose(const KernelCall& call, const std::vector<Tensor>& tensors);

// The decompositions: a function a fused kernel, named like its row, in the file of its op; a row without a function is
// an error at link time. It takes what the kernel reads, in the shapes of the row and at the row's places (those of
// what is written are undefined), and gives what the kernel writes, in the row's order. Arithmetic is in f32, or f64,
// like the kernel's; what it gives is rounded once more, to the type of where it is stored.
namespace composed {
#define AMPHORA_KERNEL(id, params, functions, operands)
#define AMPHORA_FUSED(id, params, functions, operands) \
  std::vector<Tensor> id(const KernelCall& call, const std::vector<Tensor>& given);
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
}  // namespace composed

// Ops in its scope are parts of the op around it, as those of a decomposition are: off the tape, under no policy, and
// dumps, traces and messages go by that op's name.
class Composing {
 private:
  Scoped<OpMode> mode_{context().mode, {.autocast = nullptr, .grad = false}};
  Scoped<autograd::Trace*> trace_{context().trace, nullptr};
  Scoped<bool> composes_{context().place.composes, true};
};

// The elements in the type that kernels compute in: f64 where they are, else f32.
Tensor widened(const Tensor& tensor);

}  // namespace amphora::ops
