// The parameters of kernels by name, for messages: kernel/shared/params.h can't be asked for its own names.
#pragma once

#include <string>

#include "amphora/kernel/call.h"

namespace amphora {

// "p0 is 0.5 the first time and 0.25 the second": the first parameter in which two calls of one kernel differ. Empty
// where none does.
std::string first_parameter_difference(const KernelCall& a, const KernelCall& b);

}  // namespace amphora
