// Device memory: arenas from VulkanMemoryAllocator, cut into blocks.
//
// A block that is given back may be handed out again at once, while kernels that use it are still queued: whatever
// touches it next runs after them, because hazards are tracked by address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/vulkan.h"

VK_DEFINE_HANDLE(VmaAllocation)
VK_DEFINE_HANDLE(VmaVirtualBlock)
VK_DEFINE_NON_DISPATCHABLE_HANDLE(VmaVirtualAllocation)

namespace amphora::vulkan {

class Arena;
class LogicalDevice;
class Memory;  // VulkanMemoryAllocator and the device that it works for

// A piece of device memory; gives itself back.
class Block {
 public:
  Block() = default;
  Block(std::shared_ptr<Arena> arena, VmaVirtualAllocation allocation, std::uint64_t offset, std::uint64_t bytes);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  VkBuffer buffer() const;
  std::uint64_t offset() const { return offset_; }  // in buffer()
  std::uint64_t address() const;                    // what shaders see
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<Arena> arena_;
  VmaVirtualAllocation allocation_ = VK_NULL_HANDLE;
  std::uint64_t offset_ = 0;
  std::uint64_t bytes_ = 0;
};

// A buffer that host and device see: the way in and out.
class HostBuffer {
 public:
  HostBuffer(std::shared_ptr<Memory> memory, std::size_t bytes, bool for_reading);
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;
  ~HostBuffer();

  VkBuffer handle() const { return buffer_; }
  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  // Where the memory is not coherent: makes the host's writes visible, or the device's.
  void flush(std::size_t offset, std::size_t bytes) const;
  void invalidate(std::size_t offset, std::size_t bytes) const;

 private:
  std::shared_ptr<Memory> memory_;
  VmaAllocation allocation_ = VK_NULL_HANDLE;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  std::byte* data_ = nullptr;
  std::size_t bytes_;
};

class Allocator {
 public:
  Allocator(std::shared_ptr<LogicalDevice> device, const Capabilities& capabilities);

  // Aligned to 256 bytes, and as many bytes behind it belong to it, so that wide loads may overshoot. Null: no room.
  std::unique_ptr<Block> take(std::size_t bytes);
  // Throws OutOfMemory.
  std::unique_ptr<HostBuffer> host_buffer(std::size_t bytes, bool for_reading);

  // Frees arenas without blocks. Only when the queue is idle.
  void release_unused();

  std::uint64_t held() const { return held_; }                // bytes of all arenas
  std::uint64_t arenas_made() const { return arenas_made_; }  // since the start

 private:
  std::unique_ptr<Block> cut(const std::shared_ptr<Arena>& arena, std::uint64_t bytes);

  const Capabilities& capabilities_;
  std::shared_ptr<Memory> memory_;
  std::vector<std::shared_ptr<Arena>> arenas_;
  std::uint64_t held_ = 0;
  std::uint64_t arenas_made_ = 0;
};

}  // namespace amphora::vulkan
