// Which kernel has a vectorised form for which types.

#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/targets.h"

namespace amphora::cpu::simd {
namespace {

// The best target of this CPU that the kernels are compiled for, or 0.
std::int64_t target() {
  const std::int64_t usable = HWY_SUPPORTED_TARGETS & HWY_TARGETS;
  return usable & -usable;
}

}  // namespace

Launcher find_launcher(KernelId kernel, const Spec& spec) {
  static const bool usable = target() != 0;
  if (!usable) return nullptr;
  switch (kernel) {
    case KernelId::fill:
    case KernelId::cast:
    case KernelId::copy:
    case KernelId::accumulate: return find_copy(kernel, spec);
    case KernelId::unary:
    case KernelId::unary_grad:
    case KernelId::binary:
    case KernelId::binary_grad: return find_pointwise(kernel, spec);
    case KernelId::matmul: return find_matmul(spec);
    case KernelId::reduce: return find_reduce(spec);
    case KernelId::softmax:
    case KernelId::softmax_grad: return find_softmax(kernel, spec);
    case KernelId::cross_entropy:
    case KernelId::cross_entropy_grad: return find_loss(kernel, spec);
    case KernelId::dropout: return find_dropout(spec);
    case KernelId::inspect:
    case KernelId::unscale:
    case KernelId::gradient_norm:
    case KernelId::clip_norm:
    case KernelId::clip_value: return find_gradient(kernel, spec);
    case KernelId::optimizer_step:
    case KernelId::lerp: return find_optim(kernel, spec);
    // Rare, or a handful of scalars.
    case KernelId::reduce_grad:
    case KernelId::begin_step:
    case KernelId::scaler_update: return nullptr;
  }
  return nullptr;
}

std::string_view target_name() {
  const std::int64_t best = target();
  return best == 0 ? "scalar" : hwy::TargetName(best);
}

}  // namespace amphora::cpu::simd
