#include "cuda_emulator/context.h"

#include <mutex>
#include <utility>

#include "cuda_emulator/machine.h"

namespace amphora::emulator {
namespace {

std::mutex context_mutex;
cudaError_t context_error = cudaSuccess;
cudaError_t fault = cudaSuccess;
// In the memory that every thread has from its start: LeakSanitizer does not see what the loader allocates for threads
// of a module that comes later.
[[gnu::tls_model("initial-exec")]] thread_local cudaError_t last_error = cudaSuccess;

}  // namespace

cudaError_t noted(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

cudaError_t state() {
  const std::lock_guard lock(context_mutex);
  return noted(context_error);
}

cudaError_t synchronized_state() {
  const std::lock_guard lock(context_mutex);
  if (context_error == cudaSuccess) context_error = fault;
  return noted(context_error);
}

void execute(const std::function<bool()>& work, double nanoseconds) {
  const std::lock_guard lock(context_mutex);
  if (fault != cudaSuccess) return;
  if (count_launch()) {
    fault = cudaErrorIllegalAddress;
  } else if (!work()) {
    fault = cudaErrorLaunchFailure;
  }
  pass_time(nanoseconds);
}

void execute_copy(const std::function<void()>& copy) {
  const std::lock_guard lock(context_mutex);
  if (fault == cudaSuccess) copy();
}

}  // namespace amphora::emulator

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

extern "C" {

cudaError_t cudaGetLastError() {
  const cudaError_t error = std::exchange(last_error, cudaSuccess);
  const std::lock_guard lock(context_mutex);
  return context_error != cudaSuccess ? context_error : error;
}

cudaError_t cudaPeekAtLastError() {
  const std::lock_guard lock(context_mutex);
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
    AMPHORA_NAME(cudaErrorIllegalState)
    AMPHORA_NAME(cudaErrorStreamCaptureUnsupported)
    AMPHORA_NAME(cudaErrorStreamCaptureInvalidated)
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
    case cudaErrorIllegalState: return "the operation cannot be performed in the present state";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
    default: return "unrecognized error code";
  }
}

}  // extern "C"
