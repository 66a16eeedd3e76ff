// VulkanExecutable: calls recorded once, as one command buffer that is submitted again and again.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "amphora/device/device.h"
#include "amphora/plan/hazards.h"
#include "backends/vulkan/command_sink.h"
#include "backends/vulkan/queue.h"

namespace amphora::vulkan {

class Pipelines;

// A command buffer outside the queue's batches. It may be submitted while earlier submissions are still running, and go
// at any time: the queue takes it back when the last of them is done.
class Recording : public CommandSink {
 public:
  explicit Recording(const std::shared_ptr<Queue>& queue);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() override;

  VkCommandBuffer commands() override { return commands_; }
  void recorded() override {}
  void end();
  // Behind all that was recorded before; together with the open batch.
  void submit(Queue& queue);

 private:
  std::weak_ptr<Queue> queue_;
  VkCommandBuffer commands_;
  bool ended_ = false;
  Ticket last_ticket_ = 0;
};

class VulkanExecutable : public Executable {
 public:
  // Scratch that the calls ask for comes from `allocator`, and belongs to this. Throws OutOfMemory.
  VulkanExecutable(std::vector<KernelCall> calls, const std::shared_ptr<Queue>& queue, Allocator& allocator,
                   Pipelines& pipelines, const Capabilities& capabilities);

  Recording& recording() { return recording_; }
  // What a submission touches, in few ranges.
  std::span<const plan::Access> accesses() const { return accesses_; }

 private:
  Recording recording_;
  std::vector<std::unique_ptr<Block>> scratch_;
  std::vector<plan::Access> accesses_;
};

}  // namespace amphora::vulkan
