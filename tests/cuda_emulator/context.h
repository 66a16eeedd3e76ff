// The state of the device's context that all functions of the CUDA runtime share: errors.
#pragma once

#include <functional>

#include <cuda_runtime_api.h>

namespace amphora::emulator {

// Remembers an error for cudaGetLastError(), and returns it.
cudaError_t noted(cudaError_t status);

// The context's error, after which it answers nothing else: for calls that do not wait for the device.
cudaError_t state();
// For calls that see how far the device is: a kernel's fault becomes the context's error.
cudaError_t synchronized_state();

// Runs work as the next of the device's, and moves its time on. What comes after a fault is dropped, even before the
// host has seen it. Work that returns false ends in cudaErrorLaunchFailure.
void execute(const std::function<bool()>& work, double nanoseconds);
// The same for what is no launch, and takes no time.
void execute_copy(const std::function<void()>& copy);

}  // namespace amphora::emulator
