#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {

Launcher find_launcher(KernelId kernel) {
  constexpr Launcher kLaunchers[] = {
#define AMPHORA_KERNEL(id, params, functions, operands) id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
  };
  return kLaunchers[static_cast<int>(kernel)];
}

}  // namespace amphora::cpu::oracle
