#include "backends/vulkan/device.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "amphora/core/bytes_text.h"
#include "amphora/core/error.h"
#include "amphora/kernel/validate.h"
#include "backends/vulkan/backend.h"
#include "backends/vulkan/buffer.h"
#include "backends/vulkan/executable.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/select.h"
#include "backends/vulkan/self_test.h"
#include "backends/vulkan/shader_library.h"

namespace amphora::vulkan {
namespace {

// One copy moves so much at most: a data set does not need as much staging memory as it has bytes.
constexpr std::size_t kUploadBytes = std::size_t{16} << 20;

CommandEncoder::MemoryLocation place_of(const Buffer& buffer, std::size_t offset) {
  const Block& block = block_of(buffer);
  return {block.buffer(), block.offset() + offset, block.address() + offset};
}

class VulkanReadback : public Readback {
 public:
  VulkanReadback(const std::shared_ptr<Queue>& queue, CommandEncoder& encoder,
                 const CommandEncoder::MemoryLocation& source, std::size_t bytes)
      : queue_(queue), encoder_(encoder), source_(source), buffer_(queue->take_readback(bytes)), bytes_(bytes) {
    copy(*queue);
  }
  VulkanReadback(const VulkanReadback&) = delete;
  VulkanReadback& operator=(const VulkanReadback&) = delete;
  ~VulkanReadback() override {
    // Without its queue nothing is under way any more.
    if (const auto queue = queue_.lock()) queue->give_back(std::move(buffer_), ticket_);
  }

  bool ready() const override {
    const auto queue = queue_.lock();
    return queue == nullptr || queue->is_done(ticket_);
  }

  std::span<const std::byte> get() override {
    if (const auto queue = queue_.lock()) queue->wait(ticket_);
    buffer_->invalidate(0, bytes_);
    return {buffer_->data(), bytes_};
  }

  void restart() override {
    if (const auto queue = queue_.lock()) copy(*queue);
  }

 private:
  void copy(Queue& queue) {
    // Ordered behind an earlier copy to the same place. Should a device address be the same number, a barrier is spent.
    const auto address = reinterpret_cast<std::uintptr_t>(buffer_->data());
    if (bytes_ > 0) encoder_.copy(source_, {buffer_->handle(), 0, address}, bytes_);
    ticket_ = queue.ticket();
  }

  std::weak_ptr<Queue> queue_;
  CommandEncoder& encoder_;  // lives as long as the queue
  CommandEncoder::MemoryLocation source_;
  std::unique_ptr<HostBuffer> buffer_;
  std::size_t bytes_;
  Ticket ticket_ = 0;
};

void warn_of_cpu(const Capabilities& capabilities) {
  static bool warned = false;
  if (!capabilities.is_cpu || std::exchange(warned, true)) return;
  fmt::print(stderr, "vulkan: {} runs on the processor, not on a GPU: good for tests, slow for training\n",
             capabilities.name);
}

}  // namespace

VulkanDevice::VulkanDevice(const Candidate& candidate)
    : capabilities_(candidate.capabilities),
      device_(std::make_shared<LogicalDevice>(candidate)),
      allocator_(device_, capabilities_),
      queue_(std::make_shared<Queue>(device_, allocator_)),
      pipelines_(device_, capabilities_),
      encoder_(*queue_, allocator_, pipelines_, capabilities_),
      profiler_(device_, *queue_, capabilities_) {
  info_ = {"vulkan", capabilities_.name, {Precision::f32, Precision::f16, Precision::bf16}, false, kBackend.fused};
}

std::string VulkanDevice::do_refuse(KernelId kernel, const Spec& spec) const {
  if (kernel == KernelId::matmul && (spec.flags & kMatmulBiasGradient) != 0) {
    return "no product of this backend sums columns along; reduce does";
  }
  return Device::do_refuse(kernel, spec);
}

std::string VulkanDevice::do_path(KernelId kernel, const Spec& spec) const {
  return kernel == KernelId::matmul ? matmul_path(spec, capabilities_) : "shader";
}

BufferPtr VulkanDevice::do_allocate(std::size_t bytes, MemoryKind kind) {
  const std::uint64_t arenas = allocator_.arenas_made();
  std::unique_ptr<Block> block = allocator_.take(bytes);
  if (block == nullptr) {
    // Arenas of another size may be free.
    queue_->wait_idle();
    allocator_.release_unused();
    block = allocator_.take(bytes);
  }
  if (block == nullptr) {
    throw OutOfMemory(fmt::format(
        "out of memory on vulkan ({}): {} asked for {}, {} in use, {} held of {}, {} in one piece at most. Use smaller "
        "batches, gradient accumulation or a smaller model",
        capabilities_.name, bytes_text(bytes), name_of(kind), bytes_text(memory_->current_total),
        bytes_text(allocator_.held()), bytes_text(capabilities_.memory_bytes),
        bytes_text(capabilities_.max_allocation)));
  }
  counters_.allocations += allocator_.arenas_made() - arenas;
  return std::make_shared<VulkanBuffer>(*this, bytes, kind, std::move(block), memory_);
}

void VulkanDevice::do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  while (!source.empty()) {
    const std::size_t bytes = std::min(source.size(), kUploadBytes);
    const Queue::Staging staging = queue_->stage(bytes);
    std::memcpy(staging.buffer->data() + staging.offset, source.data(), bytes);
    staging.buffer->flush(staging.offset, bytes);
    encoder_.copy_early({staging.buffer->handle(), staging.offset, 0}, place_of(target, offset), bytes);
    source = source.subspan(bytes);
    offset += bytes;
  }
}

std::unique_ptr<Readback> VulkanDevice::do_read(const Buffer& source, std::size_t offset, std::size_t bytes) {
  return std::make_unique<VulkanReadback>(queue_, encoder_, place_of(source, offset), bytes);
}

void VulkanDevice::do_launch(const KernelCall& call) {
  encoder_.begin_call();
  find_launcher(call.id)(call, encoder_);
  device_->instance().throw_complaint();
}

Device::Timing VulkanDevice::do_timed_launch(const KernelCall& call) {
  Timing timing;
  timing.seconds = profiler_.measure([&] {
    do_launch(call);
    timing.paths.assign(encoder_.shaders().begin(), encoder_.shaders().end());
  });
  return timing;
}

std::unique_ptr<Executable> VulkanDevice::do_compile(std::vector<KernelCall> calls) {
  const std::uint64_t arenas = allocator_.arenas_made();
  auto executable = std::make_unique<VulkanExecutable>(std::move(calls), queue_, allocator_, pipelines_, capabilities_);
  counters_.allocations += allocator_.arenas_made() - arenas;
  device_->instance().throw_complaint();
  return executable;
}

void VulkanDevice::do_submit(Executable& executable) {
  auto& recorded = static_cast<VulkanExecutable&>(executable);
  recorded.recording().submit(*queue_);
  encoder_.follow_executable(recorded.accesses());
  device_->instance().throw_complaint();
}

void VulkanDevice::do_wait() {
  queue_->wait_idle();
  device_->instance().throw_complaint();
}

Support supports(KernelId kernel, const Spec& spec) {
  if (find_shader(name_of(kernel)).empty()) return {false, fmt::format("this build has no shader {}", name_of(kernel))};
  const std::string reason = reason_against(kernel, spec, false);
  if (!reason.empty()) return {false, reason};
  const bool in_matrices =
      kernel == KernelId::matmul && size_of(spec.types[0]) == 2 && !find_shader(matmul_shader(spec.types[0])).empty();
  return {true, in_matrices ? "cooperative matrices" : ""};
}

std::shared_ptr<Device> open(const DeviceOptions& options) {
  Candidate candidate = select(options.device);
  restrict_to(options, candidate.capabilities);
  apply_self_test(candidate);
  warn_of_cpu(candidate.capabilities);
  return std::make_shared<VulkanDevice>(candidate);
}

}  // namespace amphora::vulkan
