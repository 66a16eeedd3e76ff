#include "backends/device.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/error.h"

namespace amphora {

std::string_view name_of(Precision precision) {
  constexpr std::string_view kNames[] = {"f32", "tf32", "f16", "bf16"};
  return kNames[static_cast<int>(precision)];
}

BufferPtr Device::allocate(std::size_t bytes, MemoryKind kind) { return do_allocate(bytes, kind); }

void Device::upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  require(offset <= target.bytes() && source.size() <= target.bytes() - offset,
          "upload of {} bytes at offset {} does not fit a buffer of {} bytes", source.size(), offset, target.bytes());
  do_upload(target, offset, source);
  target.mark_written();
}

std::unique_ptr<Readback> Device::read_later(const Buffer& source, std::size_t offset, std::size_t bytes) {
  require(offset <= source.bytes() && bytes <= source.bytes() - offset,
          "read of {} bytes at offset {} leaves a buffer of {} bytes", bytes, offset, source.bytes());
  return do_read(source, offset, bytes);
}

void Device::download(const Buffer& source, std::size_t offset, std::span<std::byte> target) {
  ++counters_.waits;
  const auto readback = read_later(source, offset, target.size());
  const auto bytes = readback->get();
  if (!bytes.empty()) std::memcpy(target.data(), bytes.data(), bytes.size());
}

void Device::launch(const KernelCall& call) {
  if (profiling_) {
    const Timing timing = do_timed_launch(call);
    counters_.seconds[static_cast<std::size_t>(call.id)] += timing.seconds;
    for (const std::string& path : timing.paths) ++counters_.paths[static_cast<std::size_t>(call.id)][path];
  } else {
    do_launch(call);
  }
  ++counters_.launches[static_cast<std::size_t>(call.id)];
  const std::string_view access = info_of(call.id).access;
  for (int i = 0; i < call.buffer_count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const bool written = access[index] != 'r' && access[index] != 'R';
    if (written && call.buffers[index].buffer != nullptr) call.buffers[index].buffer->mark_written();
  }
}

Device::Timing Device::do_timed_launch(const KernelCall& call) {
  const auto start = std::chrono::steady_clock::now();
  do_launch(call);
  do_wait();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {elapsed.count(), {supports(call.id, call.spec).path}};
}

void Device::wait() {
  ++counters_.waits;
  do_wait();
}

MemoryRecord::MemoryRecord(std::shared_ptr<MemoryUse> use, std::size_t bytes, MemoryKind kind)
    : use_(std::move(use)), bytes_(bytes), kind_(kind) {
  const auto index = static_cast<std::size_t>(kind_);
  use_->current[index] += bytes_;
  use_->peak[index] = std::max(use_->peak[index], use_->current[index]);
  use_->current_total += bytes_;
  use_->peak_total = std::max(use_->peak_total, use_->current_total);
}

MemoryRecord::~MemoryRecord() {
  use_->current[static_cast<std::size_t>(kind_)] -= bytes_;
  use_->current_total -= bytes_;
}

}  // namespace amphora
