#include "backends/null/device.h"

#include <utility>
#include <vector>

#include "backends/null/backend.h"

namespace amphora::null {
namespace {

class NullBuffer : public Buffer {
 public:
  NullBuffer(Device& device, std::size_t bytes, MemoryKind kind, std::shared_ptr<MemoryUse> use)
      : Buffer(device, bytes, kind), record_(std::move(use), bytes, kind) {}

 private:
  MemoryRecord record_;
};

class NullReadback : public Readback {
 public:
  explicit NullReadback(std::size_t bytes) : bytes_(bytes) {}
  bool ready() const override { return true; }
  std::span<const std::byte> get() override { return bytes_; }
  void restart() override {}

 private:
  std::vector<std::byte> bytes_;  // zeros
};

}  // namespace

BackendStatus status() { return {true, "counts kernel calls, computes nothing"}; }

Support supports(KernelId, const Spec&) { return {true, {}}; }

std::shared_ptr<Device> open(const DeviceOptions&) { return std::make_shared<NullDevice>(); }

NullDevice::NullDevice() {
  info_ = {"null",
           "counts kernel calls, computes nothing",
           {Precision::f32, Precision::tf32, Precision::f16, Precision::bf16},
           true,
           kBackend.fused};
}

std::string NullDevice::do_path(KernelId, const Spec&) const { return "null"; }

BufferPtr NullDevice::do_allocate(std::size_t bytes, MemoryKind kind) {
  return std::make_shared<NullBuffer>(*this, bytes, kind, memory_);
}

void NullDevice::do_upload(Buffer&, std::size_t, std::span<const std::byte>) {}

std::unique_ptr<Readback> NullDevice::do_read(const Buffer&, std::size_t, std::size_t bytes) {
  return std::make_unique<NullReadback>(bytes);
}

void NullDevice::do_launch(const KernelCall&) {}

void NullDevice::do_submit(Executable&) {}

void NullDevice::do_wait() {}

}  // namespace amphora::null
