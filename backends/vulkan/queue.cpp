#include "backends/vulkan/queue.h"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>

#include "amphora/core/error.h"
#include "backends/vulkan/check.h"

namespace amphora::vulkan {
namespace {

// Enough that a submit costs little a command, few enough that the device starts early.
constexpr int kCommandsPerBatch = 32;
constexpr std::size_t kPageBytes = std::size_t{1} << 20;
// So much staging memory may be under way; then uploads wait for the oldest.
constexpr std::size_t kMaxPages = 64;

// What was copied to host memory becomes visible there.
void make_copies_visible(VkCommandBuffer commands) {
  VkMemoryBarrier2 to_host{};
  to_host.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2;
  to_host.srcStageMask = VK_PIPELINE_STAGE_2_COPY_BIT;
  to_host.srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT;
  to_host.dstStageMask = VK_PIPELINE_STAGE_2_HOST_BIT;
  to_host.dstAccessMask = VK_ACCESS_2_HOST_READ_BIT;
  VkDependencyInfo dependency{};
  dependency.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO;
  dependency.memoryBarrierCount = 1;
  dependency.pMemoryBarriers = &to_host;
  vkCmdPipelineBarrier2(commands, &dependency);
}

}  // namespace

Queue::Queue(std::shared_ptr<LogicalDevice> device, Allocator& allocator)
    : device_(std::move(device)), allocator_(allocator) {
  VkCommandPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = device_->queue_family();
  check(vkCreateCommandPool(device_->handle(), &pool, nullptr, &pool_), "making a command pool");
  VkSemaphoreTypeCreateInfo type{};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore{};
  semaphore.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  semaphore.pNext = &type;
  check(vkCreateSemaphore(device_->handle(), &semaphore, nullptr, &timeline_), "making a timeline semaphore");
}

void Queue::stop() noexcept {
  try {
    submit();
  } catch (const std::exception&) {
    // The device is lost or out of memory; asking for a result has thrown or will.
  }
  if (!lost_) vkDeviceWaitIdle(device_->handle());
}

Queue::~Queue() {
  stop();
  vkDestroySemaphore(device_->handle(), timeline_, nullptr);
  vkDestroyCommandPool(device_->handle(), pool_, nullptr);
}

VkCommandBuffer Queue::take_commands() {
  completed();
  while (!in_flight_.empty() && in_flight_.front().ticket <= completed_) {
    unused_.push_back(in_flight_.front().commands);
    in_flight_.pop_front();
  }
  if (!unused_.empty()) {
    VkCommandBuffer commands = unused_.back();
    unused_.pop_back();
    return commands;
  }
  VkCommandBufferAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  check(vkAllocateCommandBuffers(device_->handle(), &info, &commands), "making a command buffer");
  return commands;
}

VkCommandBuffer Queue::open(VkCommandBuffer& commands) {
  if (commands != VK_NULL_HANDLE) return commands;
  VkCommandBuffer taken = take_commands();
  VkCommandBufferBeginInfo begin{};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT;
  check(vkBeginCommandBuffer(taken, &begin), "beginning a command buffer");
  if (!has_batch()) command_count_ = 0;
  commands = taken;
  return commands;
}

void Queue::recorded() {
  if (++command_count_ >= kCommandsPerBatch) submit();
}

void Queue::submit(VkCommandBuffer executable) {
  if (commands_ != VK_NULL_HANDLE) make_copies_visible(commands_);
  std::array<VkCommandBufferSubmitInfo, 3> buffers{};
  std::uint32_t count = 0;
  const std::array own{std::exchange(early_, VK_NULL_HANDLE), std::exchange(commands_, VK_NULL_HANDLE)};
  for (VkCommandBuffer commands : {own[0], own[1], executable}) {
    if (commands == VK_NULL_HANDLE) continue;
    if (commands != executable) check(vkEndCommandBuffer(commands), "ending a command buffer");
    buffers[count].sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO;
    buffers[count++].commandBuffer = commands;
  }
  if (count == 0) return;
  VkSemaphoreSubmitInfo signal{};
  signal.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO;
  signal.semaphore = timeline_;
  signal.value = batch();
  signal.stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
  VkSubmitInfo2 info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2;
  info.commandBufferInfoCount = count;
  info.pCommandBufferInfos = buffers.data();
  info.signalSemaphoreInfoCount = 1;
  info.pSignalSemaphoreInfos = &signal;
  const VkResult result = vkQueueSubmit2(device_->queue(), 1, &info, VK_NULL_HANDLE);
  lost_ = lost_ || result == VK_ERROR_DEVICE_LOST;
  if (result == VK_SUCCESS) ++last_submitted_;
  for (VkCommandBuffer commands : own) {
    if (commands != VK_NULL_HANDLE) give_back(commands, last_submitted_);
  }
  if (result != VK_SUCCESS) {
    check(result, executable == VK_NULL_HANDLE ? fmt::format("submitting {} commands", command_count_)
                                               : "submitting a compiled step");
  }
}

void Queue::give_back(VkCommandBuffer commands, Ticket ticket) { in_flight_.push_back({commands, ticket}); }

Ticket Queue::completed() {
  const VkResult result = vkGetSemaphoreCounterValue(device_->handle(), timeline_, &completed_);
  lost_ = lost_ || result == VK_ERROR_DEVICE_LOST;
  check(result, "asking how far the device is");
  return completed_;
}

bool Queue::is_done(Ticket ticket) {
  if (ticket == batch()) submit();
  // Staging memory of a copy that was never recorded has a ticket that nothing will signal.
  if (ticket > last_submitted_) return true;
  return ticket <= completed_ || ticket <= completed();
}

void Queue::wait(Ticket ticket) {
  if (is_done(ticket)) return;
  VkSemaphoreWaitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  info.pSemaphores = &timeline_;
  info.pValues = &ticket;
  const VkResult result = vkWaitSemaphores(device_->handle(), &info, std::numeric_limits<std::uint64_t>::max());
  lost_ = lost_ || result == VK_ERROR_DEVICE_LOST;
  check(result, "waiting for the device");
  completed_ = std::max(completed_, ticket);
}

Queue::Staging Queue::stage(std::size_t bytes) {
  const std::size_t aligned = (bytes + 15) / 16 * 16;
  if (pages_.empty() || pages_.back().buffer->bytes() - pages_.back().used < aligned) {
    if (pages_.size() >= kMaxPages) wait(pages_.front().ticket);
    Page next;
    if (!pages_.empty() && pages_.front().ticket <= completed()) {
      next = std::move(pages_.front());
      pages_.pop_front();
      next.used = 0;
    }
    if (next.buffer == nullptr || next.buffer->bytes() < aligned) {
      next.buffer = allocator_.host_buffer(std::max(kPageBytes, aligned), false);
    }
    pages_.push_back(std::move(next));
  }
  Page& page = pages_.back();
  const std::size_t offset = page.used;
  page.used += aligned;
  page.ticket = batch();
  return {page.buffer.get(), offset};
}

std::unique_ptr<HostBuffer> Queue::take_readback(std::size_t bytes) {
  const Ticket done = completed();
  const auto fits = [&](const Idle& idle) { return idle.ticket <= done && idle.buffer->bytes() >= bytes; };
  const auto found = std::find_if(readbacks_.begin(), readbacks_.end(), fits);
  if (found == readbacks_.end()) {
    constexpr std::size_t kSmallest = 4096;
    return allocator_.host_buffer(std::max(kSmallest, bytes), true);
  }
  std::unique_ptr<HostBuffer> buffer = std::move(found->buffer);
  readbacks_.erase(found);
  return buffer;
}

void Queue::give_back(std::unique_ptr<HostBuffer> buffer, Ticket ticket) {
  constexpr std::size_t kMaxKept = 64;
  constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 20;
  // A buffer that the device may still write to is kept in any case.
  const bool in_use = ticket > completed_;
  if (in_use || (readbacks_.size() < kMaxKept && buffer->bytes() <= kMaxKeptBytes)) {
    readbacks_.push_back({std::move(buffer), ticket});
  }
}

}  // namespace amphora::vulkan
