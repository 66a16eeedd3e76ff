#include "backends/cuda/check.h"

#include "amphora/core/error.h"

namespace amphora::cuda {
namespace {

constexpr std::string_view kLessMemory =
    "Use smaller batches, gradient accumulation or a smaller model, or close what else uses the device";

}  // namespace

bool is_fatal(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorMisalignedAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorHardwareStackError:
    case cudaErrorECCUncorrectable:
    case cudaErrorAssert: return true;
    default: return false;
  }
}

void check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return;
  // Errors that are not fatal are reported once.
  cudaGetLastError();
  const char* name = cudaGetErrorName(status);
  const char* text = cudaGetErrorString(status);
  if (status == cudaErrorMemoryAllocation) {
    throw OutOfMemory(fmt::format("out of memory on cuda while {} ({}). {}", what, name, kLessMemory));
  }
  if (status == cudaErrorNoKernelImageForDevice) {
    fail(
        "cuda has no kernels for this device's architecture ({} while {}). Build with its number added: cmake "
        "-DAMPHORA_CUDA_ARCHITECTURES=\"...\", see docs/cuda.md",
        name, what);
  }
  if (is_fatal(status)) {
    fail(
        "a kernel failed on cuda, seen while {}: {} ({}). The device answers this process no more: start again. With "
        "AMPHORA_CUDA_SYNC=1 the message names the kernel, and compute-sanitizer finds the place in it",
        what, text, name);
  }
  fail("cuda failed while {}: {} ({})", what, text, name);
}

void check(cublasStatus_t status, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED) {
    throw OutOfMemory(
        fmt::format("cuBLASLt ran out of memory while {} ({}). {}", what, cublasLtGetStatusName(status), kLessMemory));
  }
  fail("cuBLASLt failed while {}: {} ({})", what, cublasLtGetStatusString(status), cublasLtGetStatusName(status));
}

}  // namespace amphora::cuda
