// Stream: where launchers put their kernels. What launchers see of the device.
//
// Everything runs in order on one CUDA stream, so no launcher waits for another's results. While a step is compiled,
// the stream captures what is put into it, see graph.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <cublasLt.h>
#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "backends/cuda/capabilities.h"
#include "cuda/include/array.h"

namespace amphora::cuda {

class Block;
class GraphScratch;
class BlockPool;
class Products;

// Threads of every kernel that does not say otherwise: enough warps to hide latency at any register count.
inline constexpr unsigned kThreads = 256;

class Stream {
 public:
  // AMPHORA_CUDA_SYNC=1 waits after each kernel, so that a fault is seen where it happens.
  Stream(const Capabilities& capabilities, BlockPool& pool);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  const Capabilities& capabilities() const { return capabilities_; }
  cudaStream_t handle() const { return handle_; }
  // A stream for copies to the device that run beside this one's work, see staging.h.
  cudaStream_t copies() const { return copies_; }
  Products& products() const { return *products_; }
  void use(Products& products) { products_ = &products; }

  // Launches a kernel of cuda/, which takes one structure. `name` must be a literal. Nothing where `blocks` has a zero.
  template <class Arguments>
  void launch(std::string_view name, void (*kernel)(Arguments), dim3 blocks, const Arguments& arguments,
              unsigned threads = kThreads) {
    static_assert(sizeof(Arguments) <= 4096, "every device takes so many bytes");
    if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
    start(name, [&](cudaStream_t stream) {
      cudaLaunchConfig_t config{};
      config.gridDim = blocks;
      config.blockDim = dim3(threads);
      config.stream = stream;
      return cudaLaunchKernelEx(&config, kernel, arguments);
    });
  }
  // Lets `put` put something else than a kernel into the stream; it returns the status.
  template <class Put>
  void start(std::string_view name, Put put) {
    if (!is_rehearsal()) ran(name, put(handle_));
  }

  // Blocks for a loop over `items` in strides of the grid, each thread taking `per_thread` at a time: enough to fill
  // the device, no more. At least one, unless there are no items.
  unsigned blocks_for(std::uint64_t items, unsigned per_thread = 1) const;

  // Device memory. Where there is no room, unused memory is moved together first, for which this waits. Throws
  // OutOfMemory that names how much was asked, for what, and how much is in use and free.
  std::unique_ptr<Block> take(std::size_t bytes, std::string_view what);
  // Device memory for the rest of this call, aligned to 256 bytes; the next call may reuse it. Throws as take() does.
  void* scratch(std::size_t bytes);
  // Where scratch memory comes from while a step is compiled; null: from the pool again. While there is none yet, only
  // the needs are noted, and nothing is put into the stream.
  void take_scratch_from(GraphScratch* scratch) { graph_scratch_ = scratch; }

  // Notes that `name`, a literal, ran, and checks what its launch returned.
  void ran(std::string_view name, cudaError_t status);
  void ran(std::string_view name, cublasStatus_t status);

  // A new call: the scratch of the one before goes back.
  void begin_call();
  // What this call ran so far; noted only while it is asked for.
  const std::vector<std::string>& names() const { return names_; }
  void record_names(bool on) { records_ = on; }
  // Waits for all that was launched, and for copies beside it. Throws Error that names the last kernel when the device
  // reports a fault.
  void wait();
  bool waits_for_each() const { return waits_for_each_; }

 private:
  bool is_rehearsal() const;

  const Capabilities& capabilities_;
  BlockPool& pool_;
  Products* products_ = nullptr;
  cudaStream_t handle_ = nullptr;
  cudaStream_t copies_ = nullptr;
  GraphScratch* graph_scratch_ = nullptr;
  bool waits_for_each_;
  bool records_ = false;
  std::vector<std::unique_ptr<Block>> scratch_;
  std::vector<std::string> names_;
  std::string_view last_;
};

// The device address of buffer `index` of a call; null where it is absent.
void* address_of(const KernelCall& call, std::size_t index);
// Buffer `index` of a call with its type of call.spec, or with one that the spec does not name.
Array array_of(const KernelCall& call, std::size_t index);
Array array_of(const KernelCall& call, std::size_t index, DType type);

}  // namespace amphora::cuda
