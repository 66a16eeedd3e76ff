#include "backends/vulkan/allocator.h"

#include <algorithm>
#include <utility>

#include <vk_mem_alloc.h>

#include "amphora/core/error.h"
#include "backends/vulkan/check.h"
#include "backends/vulkan/logical_device.h"

namespace amphora::vulkan {

class Memory {
 public:
  explicit Memory(std::shared_ptr<LogicalDevice> device) : device_(std::move(device)) {
    VmaVulkanFunctions functions{};
    functions.vkGetInstanceProcAddr = vkGetInstanceProcAddr;
    functions.vkGetDeviceProcAddr = vkGetDeviceProcAddr;
    VmaAllocatorCreateInfo info{};
    info.flags = VMA_ALLOCATOR_CREATE_BUFFER_DEVICE_ADDRESS_BIT;
    info.physicalDevice = device_->physical();
    info.device = device_->handle();
    info.instance = device_->instance().handle();
    info.pVulkanFunctions = &functions;
    info.vulkanApiVersion = VK_API_VERSION_1_3;
    check(vmaCreateAllocator(&info, &handle_), "setting up device memory");
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { vmaDestroyAllocator(handle_); }

  LogicalDevice& device() const { return *device_; }
  VmaAllocator handle() const { return handle_; }

 private:
  std::shared_ptr<LogicalDevice> device_;
  VmaAllocator handle_ = VK_NULL_HANDLE;
};

// One buffer with memory of its own, cut into blocks by VulkanMemoryAllocator's virtual allocator.
class Arena {
 public:
  // Null where the device has no room.
  static std::shared_ptr<Arena> make(const std::shared_ptr<Memory>& memory, std::uint64_t bytes) {
    auto arena = std::make_shared<Arena>(memory, bytes);
    return arena->buffer_ == VK_NULL_HANDLE ? nullptr : arena;
  }

  Arena(std::shared_ptr<Memory> memory, std::uint64_t bytes) : memory_(std::move(memory)), bytes_(bytes) {
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = bytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
    VmaAllocationCreateInfo how{};
    how.usage = VMA_MEMORY_USAGE_AUTO_PREFER_DEVICE;
    how.flags = VMA_ALLOCATION_CREATE_DEDICATED_MEMORY_BIT;
    how.requiredFlags = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
    const VkResult result = vmaCreateBuffer(memory_->handle(), &info, &how, &buffer_, &allocation_, nullptr);
    if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY) {
      buffer_ = VK_NULL_HANDLE;
      return;
    }
    check(result, "allocating device memory");
    VkBufferDeviceAddressInfo address{};
    address.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO;
    address.buffer = buffer_;
    address_ = vkGetBufferDeviceAddress(memory_->device().handle(), &address);
    const VmaVirtualBlockCreateInfo virtual_info{bytes, 0, nullptr};
    check(vmaCreateVirtualBlock(&virtual_info, &blocks_), "setting up device memory");
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    if (blocks_ != VK_NULL_HANDLE) vmaDestroyVirtualBlock(blocks_);
    if (buffer_ != VK_NULL_HANDLE) vmaDestroyBuffer(memory_->handle(), buffer_, allocation_);
  }

  VkBuffer buffer() const { return buffer_; }
  std::uint64_t address() const { return address_; }
  std::uint64_t bytes() const { return bytes_; }
  VmaVirtualBlock blocks() const { return blocks_; }

 private:
  std::shared_ptr<Memory> memory_;
  std::uint64_t bytes_;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VmaAllocation allocation_ = VK_NULL_HANDLE;
  VmaVirtualBlock blocks_ = VK_NULL_HANDLE;
  std::uint64_t address_ = 0;
};

namespace {

constexpr std::uint64_t kAlignment = 256;
constexpr std::uint64_t kArenaBytes = std::uint64_t{64} << 20;

constexpr std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment + kAlignment;
}

}  // namespace

Block::Block(std::shared_ptr<Arena> arena, VmaVirtualAllocation allocation, std::uint64_t offset, std::uint64_t bytes)
    : arena_(std::move(arena)), allocation_(allocation), offset_(offset), bytes_(bytes) {}

Block::~Block() {
  if (arena_ != nullptr) vmaVirtualFree(arena_->blocks(), allocation_);
}

VkBuffer Block::buffer() const { return arena_->buffer(); }
std::uint64_t Block::address() const { return arena_->address() + offset_; }

HostBuffer::HostBuffer(std::shared_ptr<Memory> memory, std::size_t bytes, bool for_reading)
    : memory_(std::move(memory)), bytes_(bytes) {
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  VmaAllocationCreateInfo how{};
  how.usage = VMA_MEMORY_USAGE_AUTO_PREFER_HOST;
  // Reads of memory that the processor does not cache are a hundred times slower.
  how.flags = VMA_ALLOCATION_CREATE_MAPPED_BIT | (for_reading ? VMA_ALLOCATION_CREATE_HOST_ACCESS_RANDOM_BIT
                                                              : VMA_ALLOCATION_CREATE_HOST_ACCESS_SEQUENTIAL_WRITE_BIT);
  VmaAllocationInfo made{};
  check(vmaCreateBuffer(memory_->handle(), &info, &how, &buffer_, &allocation_, &made),
        fmt::format("asking for {} bytes of host memory that the device sees", bytes));
  data_ = static_cast<std::byte*>(made.pMappedData);
}

HostBuffer::~HostBuffer() { vmaDestroyBuffer(memory_->handle(), buffer_, allocation_); }

void HostBuffer::flush(std::size_t offset, std::size_t bytes) const {
  check(vmaFlushAllocation(memory_->handle(), allocation_, offset, bytes), "flushing host memory");
}

void HostBuffer::invalidate(std::size_t offset, std::size_t bytes) const {
  check(vmaInvalidateAllocation(memory_->handle(), allocation_, offset, bytes), "reading host memory");
}

Allocator::Allocator(std::shared_ptr<LogicalDevice> device, const Capabilities& capabilities)
    : capabilities_(capabilities), memory_(std::make_shared<Memory>(std::move(device))) {}

std::unique_ptr<Block> Allocator::cut(const std::shared_ptr<Arena>& arena, std::uint64_t bytes) {
  VmaVirtualAllocationCreateInfo info{};
  info.size = padded(bytes);
  info.alignment = kAlignment;
  VmaVirtualAllocation allocation = VK_NULL_HANDLE;
  VkDeviceSize offset = 0;
  if (vmaVirtualAllocate(arena->blocks(), &info, &allocation, &offset) != VK_SUCCESS) return nullptr;
  return std::make_unique<Block>(arena, allocation, offset, bytes);
}

std::unique_ptr<Block> Allocator::take(std::size_t bytes) {
  for (const std::shared_ptr<Arena>& arena : arenas_) {
    if (auto block = cut(arena, bytes)) return block;
  }
  const std::uint64_t size = std::max(kArenaBytes, padded(bytes));
  // Some drivers promise more than there is and stop the program later.
  if (size > capabilities_.max_allocation || held_ + size > capabilities_.memory_bytes) return nullptr;
  const std::shared_ptr<Arena> arena = Arena::make(memory_, size);
  if (arena == nullptr) return nullptr;
  arenas_.push_back(arena);
  held_ += size;
  ++arenas_made_;
  return cut(arena, bytes);
}

std::unique_ptr<HostBuffer> Allocator::host_buffer(std::size_t bytes, bool for_reading) {
  return std::make_unique<HostBuffer>(memory_, bytes, for_reading);
}

void Allocator::release_unused() {
  std::erase_if(arenas_, [this](const std::shared_ptr<Arena>& arena) {
    const bool unused = vmaIsVirtualBlockEmpty(arena->blocks()) != VK_FALSE;
    if (unused) held_ -= arena->bytes();
    return unused;
  });
}

}  // namespace amphora::vulkan
