// The functions of the CUDA runtime that the backend uses. Whatever is queued runs at once.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include <cuda_runtime.h>

#include "backends/cuda/capabilities.h"
#include "cuda_emulator/driver.h"
#include "cuda_emulator/emulator.h"
#include "cuda_emulator/grid.h"
#include "cuda_emulator/machine.h"

struct CUstream_st {};
struct CUevent_st {
  double time = 0.0;
};

namespace amphora::emulator {
namespace {

constexpr unsigned kMostThreads = 1024;  // of a block
constexpr double kLaunchTime = 1000.0;   // nanoseconds
constexpr double kThreadTime = 1.0;

std::mutex mutex;
// The context's error, after which it answers nothing else. A kernel's fault becomes it when somebody waits.
cudaError_t context_error = cudaSuccess;
cudaError_t fault = cudaSuccess;
std::map<void*, std::size_t> allocations;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t noted(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

// Of calls that do not wait for the device.
cudaError_t state() {
  const std::lock_guard lock(mutex);
  return noted(context_error);
}

// Of calls that see how far the device is.
cudaError_t synchronized_state() {
  const std::lock_guard lock(mutex);
  if (context_error == cudaSuccess) context_error = fault;
  return noted(context_error);
}

// A fault drops what was queued behind it.
bool drops_work() {
  const std::lock_guard lock(mutex);
  return fault != cudaSuccess;
}

bool is_valid(const dim3& blocks, const dim3& threads) {
  constexpr unsigned kMostBlocks = 65535;  // in y and z
  const auto is_one_of = [](unsigned n, unsigned most) { return n >= 1 && n <= most; };
  return is_one_of(blocks.x, 0x7FFFFFFFu) && is_one_of(blocks.y, kMostBlocks) && is_one_of(blocks.z, kMostBlocks) &&
         is_one_of(threads.x, kMostThreads) && is_one_of(threads.y, kMostThreads) && is_one_of(threads.z, 64) &&
         threads.x * threads.y * threads.z <= kMostThreads;
}

cudaError_t allocate(void** pointer, std::size_t bytes) {
  constexpr std::size_t kAlignment = 512;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::size_t size = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  if (size < bytes || !take_memory(size)) return noted(cudaErrorMemoryAllocation);
  *pointer = std::aligned_alloc(kAlignment, size);
  const std::lock_guard lock(mutex);
  allocations.emplace(*pointer, size);
  return cudaSuccess;
}

}  // namespace

int queue(const std::function<bool()>& work, double nanoseconds) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::lock_guard lock(mutex);
  if (fault != cudaSuccess) return cudaSuccess;
  if (count_launch()) {
    fault = cudaErrorIllegalAddress;
  } else if (!work()) {
    fault = cudaErrorLaunchFailure;
  }
  pass_time(nanoseconds);
  return cudaSuccess;
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, void (*body)(const void* arguments),
                   const void* arguments) {
  const dim3& blocks = config.gridDim;
  const dim3& threads = config.blockDim;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (!machine().image) return noted(cudaErrorNoKernelImageForDevice);
  if (!is_valid(blocks, threads)) return noted(cudaErrorInvalidConfiguration);
  if (config.dynamicSmemBytes != 0 || config.numAttrs != 0) return noted(cudaErrorNotSupported);
  const double count = static_cast<double>(blocks.x) * blocks.y * blocks.z * threads.x * threads.y * threads.z;
  return static_cast<cudaError_t>(queue(
      [&] {
        return run_grid({blocks, threads, kernel, body, arguments});
      },
      kLaunchTime + kThreadTime * count));
}

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace)

extern "C" {

// --- errors ---

cudaError_t cudaGetLastError() {
  const cudaError_t error = std::exchange(last_error, cudaSuccess);
  const std::lock_guard lock(mutex);
  return context_error != cudaSuccess ? context_error : error;
}

cudaError_t cudaPeekAtLastError() {
  const std::lock_guard lock(mutex);
  return context_error != cudaSuccess ? context_error : last_error;
}

const char* cudaGetErrorName(cudaError_t error) {
#define AMPHORA_NAME(name) \
  case name: return #name;
  switch (error) {
    AMPHORA_NAME(cudaSuccess)
    AMPHORA_NAME(cudaErrorInvalidValue)
    AMPHORA_NAME(cudaErrorMemoryAllocation)
    AMPHORA_NAME(cudaErrorInvalidConfiguration)
    AMPHORA_NAME(cudaErrorInsufficientDriver)
    AMPHORA_NAME(cudaErrorNoDevice)
    AMPHORA_NAME(cudaErrorInvalidDevice)
    AMPHORA_NAME(cudaErrorNoKernelImageForDevice)
    AMPHORA_NAME(cudaErrorIllegalAddress)
    AMPHORA_NAME(cudaErrorLaunchFailure)
    AMPHORA_NAME(cudaErrorNotReady)
    AMPHORA_NAME(cudaErrorNotSupported)
    default: return "unrecognized error code";
  }
#undef AMPHORA_NAME
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorNoKernelImageForDevice: return "no kernel image is available for execution on the device";
    case cudaErrorIllegalAddress: return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorNotSupported: return "operation not supported";
    default: return "unrecognized error code";
  }
}

// --- driver and device ---

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
  properties->maxThreadsPerBlock = static_cast<int>(kMostThreads);
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

cudaError_t cudaDeviceSynchronize() { return synchronized_state(); }

// --- memory ---

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = free_memory();
  *total = machine().memory;
  return state();
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) { return allocate(pointer, bytes); }

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return state();
  {
    const std::lock_guard lock(mutex);
    const auto found = allocations.find(pointer);
    if (found == allocations.end()) return noted(cudaErrorInvalidValue);
    give_memory(found->second);
    allocations.erase(found);
  }
  std::free(pointer);
  return synchronized_state();
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned) {
  constexpr std::size_t kAlignment = 4096;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  *pointer = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  return *pointer == nullptr ? noted(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFreeHost(void* pointer) {
  std::free(pointer);
  return synchronized_state();
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (!drops_work() && bytes > 0) std::memmove(target, source, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpyAsync(target, source, bytes, kind, nullptr);
  return synchronized_state();
}

cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  if (!drops_work() && bytes > 0) std::memset(target, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemset(void* target, int value, std::size_t bytes) {
  return cudaMemsetAsync(target, value, bytes, nullptr);
}

// --- streams and events ---

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return state();
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return synchronized_state(); }
cudaError_t cudaStreamQuery(cudaStream_t) { return synchronized_state(); }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return state(); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return state();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  event->time = device_time();
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t) { return synchronized_state(); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return synchronized_state(); }

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  *milliseconds = static_cast<float>(1e-6 * (end->time - begin->time));
  return synchronized_state();
}

}  // extern "C"
