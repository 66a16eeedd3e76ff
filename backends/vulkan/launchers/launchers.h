// The launchers of this backend: one a kernel of the vocabulary, each in the file of its family.
#pragma once

#include <string>
#include <string_view>

#include "amphora/kernel/call.h"
#include "backends/vulkan/command_encoder.h"

namespace amphora::vulkan {

using Launcher = void (*)(const KernelCall& call, CommandEncoder& encoder);

// One function a kernel, named like its row; a row without a function is an error at link time.
namespace launchers {
#define AMPHORA_KERNEL(id, params, functions, operands) void id(const KernelCall& call, CommandEncoder& encoder);
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
}  // namespace launchers

Launcher find_launcher(KernelId kernel);

// The cooperative-matrix shader for operands of this type.
std::string_view matmul_shader(DType operand);
// Which product runs for these types: "cooperative matrix 16x16x16", "fma".
std::string matmul_path(const Spec& spec, const Capabilities& capabilities);

}  // namespace amphora::vulkan
