// Takes the place of the toolkit's header of this name: the real declarations of the CUDA runtime, and kernels that run
// on the processor.
#pragma once

#include <memory>

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include "cuda_emulator/intrinsics.h"
#include "cuda_emulator/numbers.h"

static_assert(alignof(uint4) == 16 && alignof(float4) == 16);  // so that sanitizers see what a GPU would refuse

// NOLINTBEGIN(readability-identifier-naming): the names are CUDA's

// Blocks run one after another, so one copy serves them all.
#undef __shared__
#define __shared__ static
#undef __launch_bounds__
#define __launch_bounds__(...)

namespace amphora::emulator {

// The launch itself, of arguments that are a copy; `kernel` is what cudaFuncGetAttributes() would be asked for.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, void (*body)(const void* arguments),
                   const std::shared_ptr<const void>& arguments);

}  // namespace amphora::emulator

template <class Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Arguments),
                               const Arguments& arguments) {
  struct Bound {
    void (*kernel)(Arguments);
    Arguments arguments;
  };
  const auto run = [](const void* thread) {
    const Bound& what = *static_cast<const Bound*>(thread);
    what.kernel(what.arguments);
  };
  return amphora::emulator::launch(*config, reinterpret_cast<const void*>(kernel), run,
                                   std::make_shared<const Bound>(Bound{kernel, arguments}));
}

// NOLINTEND(readability-identifier-naming)
