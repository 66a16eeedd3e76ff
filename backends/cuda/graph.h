// A compiled step: one CUDA graph, launched at once.
//
// The launchers' work is captured from the stream as they put it there, but not in the stream's order: a call waits
// only for those earlier calls that it shares memory with, as plan::Order tells, so that others may run side by side.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include <cuda_runtime.h>

#include "amphora/device/device.h"
#include "backends/cuda/buffer.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {

template <class Handle, cudaError_t (*destroy)(Handle)>
struct DestroyGraph {
  void operator()(std::remove_pointer_t<Handle>* handle) const { destroy(handle); }
};
using Graph = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph<cudaGraph_t, cudaGraphDestroy>>;
using GraphExec =
    std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraph<cudaGraphExec_t, cudaGraphExecDestroy>>;

// May go while it runs: its memory returns to the pool, and its next use comes later in the stream.
class CudaExecutable : public Executable {
 public:
  // Throws OutOfMemory, or Error that names the calls.
  CudaExecutable(std::vector<KernelCall> calls, Stream& stream);

  cudaGraphExec_t graph() const { return graph_.get(); }
  const std::vector<CudaBuffer*>& inputs() const { return inputs_; }  // those of MemoryKind::inputs, each once

 private:
  std::unique_ptr<Block> scratch_;
  GraphExec graph_;
  std::vector<CudaBuffer*> inputs_;
};

}  // namespace amphora::cuda
