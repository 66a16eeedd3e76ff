// Which kernel has a vectorised form for which types.

#include "amphora/kernel/operands.h"
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

bool is_f32_or_16bit(KernelId kernel, const Spec& spec) {
  for (int i = 0; i < static_cast<int>(info_of(kernel).operands.size()); ++i) {
    const auto type = type_of(kernel, spec, i);
    if (type == DType::f64 || (type == DType::i32 && operand_of(kernel, i).elements != Elements::i32)) return false;
  }
  return true;
}

Launcher find_launcher(KernelId kernel, const Spec& spec) {
  static const bool usable = target() != 0;
  if (!usable) return nullptr;
  for (const auto find : {find_copy, find_pointwise, find_matmul, find_reduce, find_softmax, find_loss, find_dropout,
                          find_gradient, find_optim}) {
    if (const Launcher launcher = find(kernel, spec)) return launcher;
  }
  return nullptr;  // rare, or a handful of scalars
}

std::string_view target_name() {
  const std::int64_t best = target();
  return best == 0 ? "scalar" : hwy::TargetName(best);
}

}  // namespace amphora::cpu::simd
