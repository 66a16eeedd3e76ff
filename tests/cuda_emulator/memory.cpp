// The CUDA runtime's functions for memory, on the device and pinned on the host.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "cuda_emulator/context.h"
#include "cuda_emulator/graphs.h"
#include "cuda_emulator/machine.h"

using namespace amphora::emulator;  // NOLINT(google-build-using-namespace): this file is part of it

namespace {

std::mutex memory_mutex;
std::map<void*, std::size_t> allocations;

// Memory is freed when the device is done with it.
cudaError_t wait_for_all() {
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  const std::lock_guard lock(streams_mutex());
  run_all();
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = free_memory();
  *total = machine().memory;
  return state();
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  constexpr std::size_t kAlignment = 512;
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  const std::size_t size = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  if (size < bytes || !take_memory(size)) return noted(cudaErrorMemoryAllocation);
  *pointer = std::aligned_alloc(kAlignment, size);
  std::memset(*pointer, 0xFF, size);  // NaN: reading what was never written shows
  const std::lock_guard lock(memory_mutex);
  allocations.emplace(*pointer, size);
  return cudaSuccess;
}

cudaError_t cudaFree(void* pointer) {
  if (pointer == nullptr) return state();
  if (const cudaError_t error = wait_for_all(); error != cudaSuccess) return error;
  {
    const std::lock_guard lock(memory_mutex);
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
  if (const cudaError_t error = refused_in_capture(); error != cudaSuccess) return error;
  if (const cudaError_t error = state(); error != cudaSuccess) return error;
  *pointer = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  return *pointer == nullptr ? noted(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFreeHost(void* pointer) {
  if (const cudaError_t error = wait_for_all(); error != cudaSuccess) return error;
  std::free(pointer);
  return synchronized_state();
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  const auto copy = [=] {
    if (bytes > 0) std::memmove(target, source, bytes);
  };
  return put(stream, [copy] { execute_copy(copy); });
}

cudaError_t cudaMemcpy(void* target, const void* source, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpyAsync(target, source, bytes, kind, nullptr);
  return synchronized_state();
}

cudaError_t cudaMemsetAsync(void* target, int value, std::size_t bytes, cudaStream_t stream) {
  const auto set = [=] {
    if (bytes > 0) std::memset(target, value, bytes);
  };
  return put(stream, [set] { execute_copy(set); });
}

cudaError_t cudaMemset(void* target, int value, std::size_t bytes) {
  return cudaMemsetAsync(target, value, bytes, nullptr);
}

}  // extern "C"
