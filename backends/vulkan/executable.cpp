#include "backends/vulkan/executable.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "amphora/kernel/operands.h"
#include "backends/vulkan/buffer.h"
#include "backends/vulkan/check.h"
#include "backends/vulkan/command_encoder.h"
#include "backends/vulkan/launchers/launchers.h"

namespace amphora::vulkan {
namespace {

// Joins ranges that overlap or nearly touch, reads and writes apart. A gap this small is the padding between two
// blocks: no third one fits there.
std::vector<plan::Access> merged(std::vector<plan::Access> accesses) {
  constexpr std::uint64_t kGap = 511;
  std::erase_if(accesses, [](const plan::Access& access) { return access.bytes == 0; });
  std::sort(accesses.begin(), accesses.end(), [](const plan::Access& a, const plan::Access& b) {
    return std::pair(a.write, a.address) < std::pair(b.write, b.address);
  });
  std::vector<plan::Access> result;
  for (const plan::Access& access : accesses) {
    if (!result.empty() && result.back().write == access.write &&
        access.address <= result.back().address + result.back().bytes + kGap) {
      plan::Access& last = result.back();
      last.bytes = std::max(last.bytes, access.address + access.bytes - last.address);
    } else {
      result.push_back(access);
    }
  }
  return result;
}

}  // namespace

Recording::Recording(const std::shared_ptr<Queue>& queue) : queue_(queue), commands_(queue->take_commands()) {
  VkCommandBufferBeginInfo begin{};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  check(vkBeginCommandBuffer(commands_, &begin), "beginning an executable");
}

Recording::~Recording() {
  const auto queue = queue_.lock();
  if (queue == nullptr) return;  // it took its command buffers along
  if (!ended_) vkEndCommandBuffer(commands_);
  queue->give_back(commands_, last_ticket_);
}

void Recording::end() {
  ended_ = true;
  check(vkEndCommandBuffer(commands_), "ending an executable");
}

void Recording::submit(Queue& queue) {
  queue.submit(commands_);
  last_ticket_ = queue.ticket();
}

VulkanExecutable::VulkanExecutable(std::vector<KernelCall> calls, const std::shared_ptr<Queue>& queue,
                                   Allocator& allocator, Pipelines& pipelines, const Capabilities& capabilities)
    : Executable(std::move(calls)), recording_(queue) {
  CommandEncoder encoder(recording_, allocator, pipelines, capabilities, CommandEncoder::Mode::executable);
  for (const KernelCall& call : this->calls()) {
    encoder.begin_call();
    find_launcher(call.id)(call, encoder);
    for (int i = 0; i < call.buffer_count; ++i) {
      const BufferRange& range = call.buffers[static_cast<std::size_t>(i)];
      if (range.buffer == nullptr) continue;
      accesses_.push_back({block_of(*range.buffer).address() + range.offset, range.bytes, is_written(call, i)});
    }
  }
  recording_.end();
  scratch_ = encoder.take_scratch();
  for (const auto& block : scratch_) accesses_.push_back({block->address(), block->bytes(), true});
  accesses_ = merged(std::move(accesses_));
}

}  // namespace amphora::vulkan
