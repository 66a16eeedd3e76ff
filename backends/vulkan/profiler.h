// Profiler: the device's own time of a kernel call, by timestamps.
#pragma once

#include <functional>
#include <memory>

#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/logical_device.h"
#include "backends/vulkan/queue.h"

namespace amphora::vulkan {

class Profiler {
 public:
  Profiler(std::shared_ptr<LogicalDevice> device, Queue& queue, const Capabilities& capabilities);
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;
  ~Profiler();

  // Seconds that what `record` records takes, alone on the device. Waits. Without timestamps: the host's clock.
  double measure(const std::function<void()>& record);

 private:
  std::shared_ptr<LogicalDevice> device_;
  Queue& queue_;
  float tick_ns_;
  VkQueryPool queries_ = VK_NULL_HANDLE;
};

}  // namespace amphora::vulkan
