// The launchers of this backend: one a kernel of the vocabulary, each in the file of its family.
#pragma once

#include <string>

#include "amphora/kernel/call.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {

using Launcher = void (*)(const KernelCall& call, Stream& stream);

// One function a kernel, named like its row; a row without a function is an error at link time.
namespace launchers {
#define AMPHORA_KERNEL(id, params, functions, operands) void id(const KernelCall& call, Stream& stream);
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
}  // namespace launchers

Launcher find_launcher(KernelId kernel);

}  // namespace amphora::cuda
