// Queue: command buffers on their way to the device, in order, and the memory that host and device share.
//
// Commands gather in a batch. A batch is submitted when it holds enough of them, or when a result is asked for;
// it signals its ticket, a value of one timeline semaphore, when it is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "backends/vulkan/allocator.h"
#include "backends/vulkan/command_sink.h"
#include "backends/vulkan/logical_device.h"

namespace amphora::vulkan {

using Ticket = std::uint64_t;

class Queue : public CommandSink {
 public:
  Queue(std::shared_ptr<LogicalDevice> device, Allocator& allocator);
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  ~Queue() override;

  VkCommandBuffer commands() override { return open(commands_); }
  VkCommandBuffer early_commands() override { return open(early_); }
  Ticket batch() const override { return last_submitted_ + 1; }
  void recorded() override;
  // The ticket of all that was recorded so far.
  Ticket ticket() const { return has_batch() ? batch() : last_submitted_; }

  // Submits what was recorded, and `executable` behind it, as one; waits for nothing.
  void submit(VkCommandBuffer executable = VK_NULL_HANDLE);
  bool is_done(Ticket ticket);
  // Submits if need be, and waits. Throws Error when the device is lost.
  void wait(Ticket ticket);
  void wait_idle() { wait(ticket()); }
  // Submits and waits, before anything that commands use is destroyed; readbacks then have their bytes. On a lost
  // device there is nothing to wait for.
  void stop() noexcept;

  // A command buffer outside the batches; comes back with give_back().
  VkCommandBuffer take_commands();
  void give_back(VkCommandBuffer commands, Ticket ticket);

  // Host memory to write `bytes` bytes to, for a copy that is recorded next; returned to the pool with its batch.
  struct Staging {
    HostBuffer* buffer;
    std::size_t offset;
  };
  Staging stage(std::size_t bytes);

  // Host memory for a copy to the host, from the pool; it comes back with give_back().
  std::unique_ptr<HostBuffer> take_readback(std::size_t bytes);
  void give_back(std::unique_ptr<HostBuffer> buffer, Ticket ticket);

 private:
  struct Used {
    VkCommandBuffer commands = VK_NULL_HANDLE;
    Ticket ticket = 0;
  };
  struct Page {  // of staging memory
    std::unique_ptr<HostBuffer> buffer;
    std::size_t used = 0;
    Ticket ticket = 0;  // of the last batch that reads it
  };
  struct Idle {
    std::unique_ptr<HostBuffer> buffer;
    Ticket ticket = 0;
  };

  bool has_batch() const { return early_ != VK_NULL_HANDLE || commands_ != VK_NULL_HANDLE; }
  VkCommandBuffer open(VkCommandBuffer& commands);
  Ticket completed();

  std::shared_ptr<LogicalDevice> device_;
  Allocator& allocator_;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  // The open batch; null where there is no command yet.
  VkCommandBuffer early_ = VK_NULL_HANDLE;
  VkCommandBuffer commands_ = VK_NULL_HANDLE;
  int command_count_ = 0;
  bool lost_ = false;
  Ticket last_submitted_ = 0;
  Ticket completed_ = 0;
  std::deque<Used> in_flight_;
  std::vector<VkCommandBuffer> unused_;
  std::deque<Page> pages_;  // the last one is being filled
  std::vector<Idle> readbacks_;
};

}  // namespace amphora::vulkan
