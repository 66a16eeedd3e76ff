// The cuda backend: Tensor Cores through cuBLASLt, and own kernels for all else.
#pragma once

#include <memory>

#include "amphora/device/device.h"
#include "backends/cuda/block_pool.h"
#include "backends/cuda/capabilities.h"
#include "backends/cuda/products.h"
#include "backends/cuda/staging.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {

class CudaDevice : public Device {
 public:
  // The device must have been set for this thread.
  explicit CudaDevice(const Capabilities& capabilities);

  const Capabilities& capabilities() const { return capabilities_; }
  const Stream& stream() const { return stream_; }

 protected:
  std::string do_path(KernelId kernel, const Spec& spec) const override;
  BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) override;
  void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) override;
  std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) override;
  void do_launch(const KernelCall& call) override;
  Timing do_timed_launch(const KernelCall& call) override;
  void do_wait() override;
  // A graph, see graph.h. With AMPHORA_CUDA_SYNC=1: call by call.
  std::unique_ptr<Executable> do_compile(std::vector<KernelCall> calls) override;
  void do_submit(Executable& executable) override;

 private:
  Capabilities capabilities_;
  std::shared_ptr<BlockPool> pool_;
  Stream stream_;
  Products products_;
  std::shared_ptr<Staging> staging_;  // shared with readbacks
};

}  // namespace amphora::cuda
