#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda {

Launcher find_launcher(KernelId kernel) {
  constexpr Launcher kLaunchers[] = {
#define AMPHORA_KERNEL(id, params, functions, operands) launchers::id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
  };
  return kLaunchers[static_cast<int>(kernel)];
}

}  // namespace amphora::cuda
