// A Buffer of this backend.
#pragma once

#include <memory>
#include <utility>

#include "amphora/device/device.h"
#include "backends/cuda/block_pool.h"

namespace amphora::cuda {

class CudaBuffer : public Buffer {
 public:
  CudaBuffer(Device& device, std::size_t bytes, MemoryKind kind, std::unique_ptr<Block> block,
             std::shared_ptr<MemoryUse> use)
      : Buffer(device, bytes, kind), block_(std::move(block)), record_(std::move(use), bytes, kind) {}

  void* data() const { return block_->data(); }

  // The number of the last submission that uses the buffer, where it is one of inputs; 0: none.
  std::uint64_t last_submission() const { return last_submission_; }
  void set_last_submission(std::uint64_t number) { last_submission_ = number; }

 private:
  std::unique_ptr<Block> block_;
  MemoryRecord record_;
  std::uint64_t last_submission_ = 0;
};

inline std::byte* data_of(const Buffer& buffer, std::size_t offset) {
  return static_cast<std::byte*>(static_cast<const CudaBuffer&>(buffer).data()) + offset;
}

}  // namespace amphora::cuda
