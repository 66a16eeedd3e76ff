#include "amphora/ops/fused.h"

#include <algorithm>

#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "amphora/kernel/validate.h"
#include "amphora/tensor/launch.h"

namespace amphora::ops {

namespace {

using Composition = std::vector<Tensor> (*)(const KernelCall& call, const std::vector<Tensor>& given);

Composition composition_of(KernelId kernel) {
  switch (kernel) {
#define AMPHORA_KERNEL(id, params, functions, operands)
#define AMPHORA_FUSED(id, params, functions, operands) \
  case KernelId::id:                                   \
    return composed::id;
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
    default: fail("kernel {} is not a fused one, so it has no decomposition", name_of(kernel));
  }
}

// `call` with the tensors as its buffers.
KernelCall bound(KernelCall call, const std::vector<Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].defined()) call.spec.types[i] = tensors[i].dtype();
    call.with(range_or_absent(tensors[i]));
  }
  return call;
}

Device& device_of(const std::vector<Tensor>& tensors) {
  const auto any = std::find_if(tensors.begin(), tensors.end(), [](const Tensor& tensor) { return tensor.defined(); });
  require(any != tensors.end(), "a fused kernel was called without a tensor");
  return any->device();
}

// As Device::launch() does, before it looks for the kernel.
void require_valid(const KernelCall& call, const Device& device) {
  validate(call);
  const std::string reason = reason_against(call.id, call.spec, device.info().has_f64);
  if (!reason.empty()) fail("{} cannot run {}: {}", device.info().backend, describe(call), reason);
}

// An operand's elements as its row describes them.
Tensor as_laid_out(const Tensor& tensor, const Layout& layout) {
  const std::size_t first = Layout::kAxes - static_cast<std::size_t>(layout.rank);
  Strides strides{};
  std::copy(layout.strides.begin() + first, layout.strides.end(), strides.begin());
  return tensor.view(Shape(std::span(layout.sizes).subspan(first)), strides, tensor.offset());
}

}  // namespace

void launch_fused(const KernelCall& call, const std::vector<Tensor>& tensors) {
  Device& device = device_of(tensors);
  const KernelCall whole = bound(call, tensors);
  if (device.supports(whole.id, whole.spec).supported) {
    device.launch(whole);
  } else {
    compose(call, tensors);
  }
}

void compose(const KernelCall& call, const std::vector<Tensor>& tensors) {
  const KernelCall whole = bound(call, tensors);
  require_valid(whole, device_of(tensors));
  if (is_empty(whole)) return;
  std::vector<Tensor> given(tensors.size());
  std::vector<Tensor> targets;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const OperandUse use = operand_use(whole, static_cast<int>(i));
    const bool written = is_written(whole, static_cast<int>(i));
    const Tensor operand = tensors[i].defined() ? as_laid_out(tensors[i], use.layout) : Tensor();
    if (written) {
      targets.push_back(operand);
    } else {
      given[i] = operand;
    }
  }
  const Composing parts;
  const std::vector<Tensor> results = composition_of(whole.id)(whole, given);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].defined()) launch_copy(results.at(i), targets[i]);
  }
}

Tensor widened(const Tensor& tensor) {
  return converted(tensor, tensor.dtype() == DType::f64 ? DType::f64 : DType::f32);
}

}  // namespace amphora::ops
