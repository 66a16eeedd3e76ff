// What each family has to offer: null for what has no vectorised form, or is another family's.
#pragma once

#include "backends/cpu/kernels.h"

namespace amphora::cpu::simd {

Launcher find_copy(KernelId kernel, const Spec& spec);  // fill, cast, copy, accumulate
Launcher find_pointwise(KernelId kernel, const Spec& spec);
Launcher find_matmul(KernelId kernel, const Spec& spec);
Launcher find_reduce(KernelId kernel, const Spec& spec);
Launcher find_softmax(KernelId kernel, const Spec& spec);
Launcher find_loss(KernelId kernel, const Spec& spec);
Launcher find_dropout(KernelId kernel, const Spec& spec);
Launcher find_gradient(KernelId kernel, const Spec& spec);
Launcher find_optim(KernelId kernel, const Spec& spec);

// Whether no array that a call reads or writes is f64, or i32 where it may be of another type.
bool is_f32_or_16bit(KernelId kernel, const Spec& spec);

}  // namespace amphora::cpu::simd
