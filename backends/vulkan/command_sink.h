// Where a recorder's commands go: the queue's open batch, or an executable.
#pragma once

#include "backends/vulkan/vulkan.h"

namespace amphora::vulkan {

class CommandSink {
 public:
  CommandSink() = default;
  CommandSink(const CommandSink&) = delete;
  CommandSink& operator=(const CommandSink&) = delete;

  // Where the next command goes.
  virtual VkCommandBuffer commands() = 0;
  // A command was recorded.
  virtual void recorded() = 0;

 protected:
  ~CommandSink() = default;
};

}  // namespace amphora::vulkan
