#include "backends/cuda/capabilities.h"

#include <cublasLt.h>

#include "backends/cuda/check.h"

namespace amphora::cuda {
Capabilities inspect(int index) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "asking what the device is");
  Capabilities result;
  result.index = index;
  result.name = properties.name;
  result.major = properties.major;
  result.minor = properties.minor;
  result.memory_bytes = properties.totalGlobalMem;
  result.l2_bytes = static_cast<std::size_t>(properties.l2CacheSize);
  result.multiprocessors = properties.multiProcessorCount;
  result.max_threads = properties.maxThreadsPerMultiProcessor;
  check(cudaDriverGetVersion(&result.driver), "asking the driver's version");
  check(cudaRuntimeGetVersion(&result.runtime), "asking the runtime's version");
  result.cublaslt = cublasLtGetVersion();
  result.emulated = result.name == kEmulatorName;
  return result;
}

}  // namespace amphora::cuda
