// A Buffer of this backend.
#pragma once

#include <memory>
#include <utility>

#include "amphora/device/device.h"
#include "backends/vulkan/allocator.h"

namespace amphora::vulkan {

class VulkanBuffer : public Buffer {
 public:
  VulkanBuffer(Device& device, std::size_t bytes, MemoryKind kind, std::unique_ptr<Block> block,
               std::shared_ptr<MemoryUse> use)
      : Buffer(device, bytes, kind), block_(std::move(block)), record_(std::move(use), bytes, kind) {}

  const Block& block() const { return *block_; }

 private:
  std::unique_ptr<Block> block_;
  MemoryRecord record_;
};

inline const Block& block_of(const Buffer& buffer) { return static_cast<const VulkanBuffer&>(buffer).block(); }

}  // namespace amphora::vulkan
