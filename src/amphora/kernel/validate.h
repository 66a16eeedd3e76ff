// What is asked of a call before a backend runs it.
#pragma once

#include <string>

#include "amphora/kernel/call.h"

namespace amphora {

// Throws Error, naming the kernel and the buffer, unless the call has the buffers of its row, each range lies inside
// its buffer and holds the operand's elements, all lie on one device, and the function exists.
void validate(const KernelCall& call);

// Why no kernel takes these element types; empty where one does. `has_f64`: whether the backend computes in f64.
std::string reason_against(KernelId kernel, const Spec& spec, bool has_f64);

// The element types of a call whose buffers all have `type`, except where the kernel leaves no choice.
Spec uniform_spec(KernelId kernel, DType type);

}  // namespace amphora
