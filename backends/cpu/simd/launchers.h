// What each family has to offer; find_launcher.cpp asks by kernel. Null where the oracle must run.
#pragma once

#include "backends/cpu/kernels.h"

namespace amphora::cpu::simd {

Launcher find_copy(KernelId kernel, const Spec& spec);  // fill, cast, copy, accumulate
Launcher find_pointwise(KernelId kernel, const Spec& spec);
Launcher find_matmul(const Spec& spec);
Launcher find_reduce(const Spec& spec);
Launcher find_softmax(KernelId kernel, const Spec& spec);
Launcher find_loss(KernelId kernel, const Spec& spec);
Launcher find_dropout(const Spec& spec);
Launcher find_gradient(KernelId kernel, const Spec& spec);
Launcher find_optim(KernelId kernel, const Spec& spec);

}  // namespace amphora::cpu::simd
