// The vulkan backend: compute shaders on any Vulkan 1.3 device.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amphora/device/backend.h"
#include "amphora/device/device.h"
#include "backends/vulkan/allocator.h"
#include "backends/vulkan/capabilities.h"
#include "backends/vulkan/command_encoder.h"
#include "backends/vulkan/logical_device.h"
#include "backends/vulkan/pipelines.h"
#include "backends/vulkan/profiler.h"
#include "backends/vulkan/queue.h"

namespace amphora::vulkan {

class VulkanDevice : public Device {
 public:
  // Uses what candidate.capabilities says, and tests nothing; open() does.
  explicit VulkanDevice(const Candidate& candidate);
  ~VulkanDevice() override { queue_->stop(); }

  const Capabilities& capabilities() const { return capabilities_; }

 protected:
  std::string do_refuse(KernelId kernel, const Spec& spec) const override;
  std::string do_path(KernelId kernel, const Spec& spec) const override;
  BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) override;
  void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) override;
  std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) override;
  void do_launch(const KernelCall& call) override;
  Timing do_timed_launch(const KernelCall& call) override;
  std::unique_ptr<Executable> do_compile(std::vector<KernelCall> calls) override;
  void do_submit(Executable& executable) override;
  void do_wait() override;

 private:
  Capabilities capabilities_;
  std::shared_ptr<LogicalDevice> device_;
  Allocator allocator_;
  std::shared_ptr<Queue> queue_;  // shared with readbacks, weakly
  Pipelines pipelines_;
  CommandEncoder encoder_;
  Profiler profiler_;
};

// Opens the device that options.device names. Throws Error that says what there is when it names none, or when nothing
// usable is there.
}  // namespace amphora::vulkan
