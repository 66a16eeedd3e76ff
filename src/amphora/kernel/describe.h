// Calls as text, for messages and dumps.
#pragma once

#include <string>

#include "amphora/kernel/call.h"

namespace amphora {

// "matmul r:f16[200704 B] r:f16[802816 B] w:f16[131072 B]": kernel, function, and each buffer.
std::string describe(const KernelCall& call);

// "matmul+relu [128x784 * 784x512]": kernel and shapes, without addresses.
std::string describe_shapes(const KernelCall& call);

// "p0 is 0.5 the first time and 0.25 the second": the first parameter in which two calls of one kernel differ. Empty
// where none does.
std::string first_parameter_difference(const KernelCall& a, const KernelCall& b);

}  // namespace amphora
