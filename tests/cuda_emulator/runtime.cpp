// The CUDA runtime's functions for devices and launches.
#include <cstring>

#include <cuda_runtime.h>

#include "backends/cuda/capabilities.h"
#include "cuda_emulator/context.h"
#include "cuda_emulator/driver.h"
#include "cuda_emulator/grid.h"
#include "cuda_emulator/machine.h"
#include "cuda_emulator/streams.h"

namespace amphora::emulator {
namespace {

constexpr unsigned kMaxThreads = 1024;  // of a block
constexpr double kLaunchTime = 1000.0;  // nanoseconds
constexpr double kThreadTime = 1.0;

bool is_valid(const dim3& blocks, const dim3& threads) {
  constexpr unsigned kMaxBlocks = 65535;  // in y and z
  const auto is_one_of = [](unsigned n, unsigned most) { return n >= 1 && n <= most; };
  return is_one_of(blocks.x, 0x7FFFFFFFu) && is_one_of(blocks.y, kMaxBlocks) && is_one_of(blocks.z, kMaxBlocks) &&
         is_one_of(threads.x, kMaxThreads) && is_one_of(threads.y, kMaxThreads) && is_one_of(threads.z, 64) &&
         threads.x * threads.y * threads.z <= kMaxThreads;
}

}  // namespace

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, void (*body)(const void* arguments),
                   const std::shared_ptr<const void>& arguments) {
  const dim3 blocks = config.gridDim;
  const dim3 threads = config.blockDim;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (!machine().image) return noted(cudaErrorNoKernelImageForDevice);
  if (!is_valid(blocks, threads)) return noted(cudaErrorInvalidConfiguration);
  if (config.dynamicSmemBytes != 0 || config.numAttrs != 0) return noted(cudaErrorNotSupported);
  const double count = static_cast<double>(blocks.x) * blocks.y * blocks.z * threads.x * threads.y * threads.z;
  return put(config.stream, [=] {
    execute(
        [&] {
          return run_grid({blocks, threads, kernel, body, arguments.get()});
        },
        kLaunchTime + kThreadTime * count);
  });
}

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

extern "C" {

cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine().driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  const Machine here = machine();
  *count = 0;
  if (here.driver / 1000 < kVersion / 1000) return noted(cudaErrorInsufficientDriver);
  if (here.devices == 0) return noted(cudaErrorNoDevice);
  *count = here.devices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= machine().devices) return noted(cudaErrorInvalidDevice);
  return state();
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return state();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const Machine here = machine();
  if (device < 0 || device >= here.devices) return noted(cudaErrorInvalidDevice);
  *properties = {};
  std::strncpy(properties->name, amphora::cuda::kEmulatorName, sizeof(properties->name) - 1);
  properties->major = here.major;
  properties->minor = here.minor;
  properties->totalGlobalMem = here.memory;
  properties->l2CacheSize = 1 << 20;
  properties->multiProcessorCount = here.multiprocessors;
  properties->maxThreadsPerMultiProcessor = here.threads;
  properties->maxThreadsPerBlock = static_cast<int>(kMaxThreads);
  properties->warpSize = warpSize;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (!machine().image) return noted(cudaErrorNoKernelImageForDevice);
  *attributes = {};
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  *function = driver_function(symbol);
  *found = *function == nullptr ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
  return state();
}

}  // extern "C"
