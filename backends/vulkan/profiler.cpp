#include "backends/vulkan/profiler.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "backends/vulkan/check.h"

namespace amphora::vulkan {

Profiler::Profiler(std::shared_ptr<LogicalDevice> device, Queue& queue, const Capabilities& capabilities)
    : device_(std::move(device)), queue_(queue), tick_ns_(capabilities.timestamp_ns) {
  if (tick_ns_ == 0.0f) return;
  VkQueryPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = 2;
  check(vkCreateQueryPool(device_->handle(), &info, nullptr, &queries_), "making timestamps");
}

Profiler::~Profiler() { vkDestroyQueryPool(device_->handle(), queries_, nullptr); }

double Profiler::measure(const std::function<void()>& record) {
  queue_.wait_idle();
  const auto start = std::chrono::steady_clock::now();
  if (tick_ns_ == 0.0f) {
    record();
    queue_.wait_idle();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  vkCmdResetQueryPool(queue_.commands(), queries_, 0, 2);
  vkCmdWriteTimestamp2(queue_.commands(), VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, queries_, 0);
  record();
  vkCmdWriteTimestamp2(queue_.commands(), VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, queries_, 1);
  queue_.wait_idle();
  std::array<std::uint64_t, 2> ticks{};
  check(vkGetQueryPoolResults(device_->handle(), queries_, 0, 2, sizeof(ticks), ticks.data(), sizeof(ticks[0]),
                              VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
        "reading timestamps");
  return static_cast<double>(ticks[1] - ticks[0]) * static_cast<double>(tick_ns_) * 1e-9;
}

}  // namespace amphora::vulkan
