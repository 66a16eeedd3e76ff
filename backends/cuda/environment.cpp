#include "backends/cuda/environment.h"

#include "amphora/core/environment.h"

namespace amphora::cuda {

Environment environment() {
  const Environment defaults;
  return {.tune = environment_flag("AMPHORA_CUDA_TUNE", defaults.tune),
          .synchronous = environment_flag("AMPHORA_CUDA_SYNC", defaults.synchronous)};
}

}  // namespace amphora::cuda
