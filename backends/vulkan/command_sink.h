// Where an encoder's commands go: the queue's open batch, or an executable.
#pragma once

#include <cstdint>

#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

class CommandSink {
 public:
  CommandSink() = default;
  CommandSink(const CommandSink&) = delete;
  CommandSink& operator=(const CommandSink&) = delete;
  virtual ~CommandSink() = default;

  // Where the next command goes.
  virtual VkCommandBuffer commands() = 0;
  // Where commands go that run before all others of their batch.
  virtual VkCommandBuffer early_commands() { return commands(); }
  // The number of the batch that is open.
  virtual std::uint64_t batch() const { return 0; }
  // A command was recorded.
  virtual void recorded() = 0;
};

}  // namespace amphora::vulkan
