// The state of the device's context that all functions of the CUDA runtime share: errors.
#pragma once

#include <cuda_runtime_api.h>

namespace amphora::emulator {

// Remembers an error for cudaGetLastError(), and returns it.
cudaError_t noted(cudaError_t status);

// The context's error, after which it answers nothing else: for calls that do not wait for the device.
cudaError_t state();
// For calls that see how far the device is: a kernel's fault becomes the context's error.
cudaError_t synchronized_state();

// A fault drops what was queued behind it, though nobody has seen it yet.
bool drops_work();

}  // namespace amphora::emulator
