// Which element types the kernels of the vocabulary take.
#pragma once

#include <string>

#include "amphora/kernel/call.h"

namespace amphora {

// Why no kernel takes these element types; empty where one does. `has_f64`: whether the backend computes in f64.
std::string reason_against(KernelId kernel, const Spec& spec, bool has_f64);

// The element types of a call whose buffers all have `type`, except where the kernel leaves no choice.
Spec uniform_spec(KernelId kernel, DType type);

}  // namespace amphora
