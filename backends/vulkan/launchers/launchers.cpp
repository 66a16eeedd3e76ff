#include "backends/vulkan/launchers/launchers.h"

#include <type_traits>

#include "backends/vulkan/backend.h"

namespace amphora::vulkan {
namespace {

template <KernelId kernel>
using IsComposed = std::bool_constant<is_composed(kernel, kBackend.fused)>;

}  // namespace

Launcher find_launcher(KernelId kernel) {
  constexpr Launcher kLaunchers[] = {
#define AMPHORA_KERNEL(id, params, functions, operands) launchers::id,
#define AMPHORA_FUSED(id, params, functions, operands) \
  [](auto composed) -> Launcher {                      \
    if constexpr (composed)                            \
      return nullptr;                                  \
    else                                               \
      return launchers::id;                            \
  }(IsComposed<KernelId::id>()),
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
  };
  return kLaunchers[static_cast<int>(kernel)];
}

}  // namespace amphora::vulkan
