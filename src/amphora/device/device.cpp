#include "amphora/device/device.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "amphora/core/environment.h"
#include "amphora/core/error.h"
#include "amphora/device/value_check.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "amphora/kernel/validate.h"
#include "amphora/plan/recorder.h"

namespace amphora {

Executable::Executable(std::vector<KernelCall> calls) : calls_(std::move(calls)) {
  std::array<std::uint64_t, kKernelCount> counts{};
  for (const KernelCall& call : calls_) {
    ++counts[static_cast<std::size_t>(call.id)];
    for (int i = 0; i < call.buffer_count; ++i) {
      Buffer* buffer = call.buffers[static_cast<std::size_t>(i)].buffer;
      if (buffer == nullptr || !is_written(call, i)) continue;
      if (std::find(written_.begin(), written_.end(), buffer) == written_.end()) written_.push_back(buffer);
    }
  }
  for (std::size_t id = 0; id < counts.size(); ++id) {
    if (counts[id] > 0) launches_.emplace_back(static_cast<KernelId>(id), counts[id]);
  }
}

Device::Device() {
  if (environment_flag("AMPHORA_CHECK", false)) check_values({});
}
Device::~Device() = default;

void Device::check_values(std::function<void(const std::string& text)> report) {
  check_ = std::make_unique<ValueCheck>(*this, std::move(report));
}

BufferPtr Device::allocate(std::size_t bytes, MemoryKind kind) {
  plan::Recorder* recorder = plan::Recorder::capturing();
  BufferPtr buffer = recorder == nullptr ? nullptr : recorder->allocated_before(bytes, kind);
  if (buffer == nullptr) buffer = do_allocate(bytes, kind);
  if (recorder != nullptr) recorder->allocated(buffer);
  return buffer;
}

void Device::upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  require(offset <= target.bytes() && source.size() <= target.bytes() - offset,
          "upload of {} bytes at offset {} does not fit a buffer of {} bytes", source.size(), offset, target.bytes());
  if (plan::Recorder* recorder = plan::Recorder::capturing()) recorder->uploaded(target, offset, source);
  do_upload(target, offset, source);
  if (check_ != nullptr) check_->uploaded(target);
  target.mark_written();
}

std::unique_ptr<Readback> Device::read_later(const Buffer& source, std::size_t offset, std::size_t bytes,
                                             CodeLine where) {
  if (const plan::Recorder* recorder = plan::Recorder::capturing()) recorder->refuse_read(where);
  require(offset <= source.bytes() && bytes <= source.bytes() - offset,
          "read of {} bytes at offset {} leaves a buffer of {} bytes", bytes, offset, source.bytes());
  return do_read(source, offset, bytes);
}

void Device::download(const Buffer& source, std::size_t offset, std::span<std::byte> target, CodeLine where) {
  const auto readback = read_later(source, offset, target.size(), where);
  ++counters_.waits;
  const auto bytes = readback->get();
  if (!bytes.empty()) std::memcpy(target.data(), bytes.data(), bytes.size());
}

void Device::launch(const KernelCall& call) {
  plan::Recorder* recorder = plan::Recorder::capturing();
  if (recorder != nullptr) recorder->require_device(*this);
  require_runnable(call);
  if (is_empty(call)) return;
  if (recorder != nullptr) {
    recorder->append(call);
  } else {
    run(call);
    ++counters_.launches[static_cast<std::size_t>(call.id)];
  }
  for (int i = 0; i < call.buffer_count; ++i) {
    Buffer* buffer = call.buffers[static_cast<std::size_t>(i)].buffer;
    if (buffer != nullptr && is_written(call, i)) buffer->mark_written();
  }
}

Support Device::supports(KernelId kernel, const Spec& spec) const {
  const std::string reason = refuse(kernel, spec);
  return reason.empty() ? Support{true, do_path(kernel, spec)} : Support{false, reason};
}

std::string Device::refuse(KernelId kernel, const Spec& spec) const {
  if (is_composed(kernel, info_.fused)) return "it has no such kernel; the op composes it of others";
  return do_refuse(kernel, spec);
}

std::string Device::do_refuse(KernelId kernel, const Spec& spec) const {
  return reason_against(kernel, spec, info_.has_f64);
}

void Device::require_runnable(const KernelCall& call) const {
  validate(call);
  const std::string reason = refuse(call.id, call.spec);
  if (!reason.empty()) fail("{} cannot run {}: {}", info_.backend, describe(call), reason);
}

void Device::run(const KernelCall& call) {
  if (check_ == nullptr) return launch_now(call);
  check_->run(call, [&] { launch_now(call); });
}

void Device::launch_now(const KernelCall& call) {
  if (!profiling_) return do_launch(call);
  const Timing timing = do_timed_launch(call);
  counters_.seconds[static_cast<std::size_t>(call.id)] += timing.seconds;
  for (const std::string& path : timing.paths) ++counters_.paths[static_cast<std::size_t>(call.id)][path];
}

std::unique_ptr<Executable> Device::compile(std::vector<KernelCall> calls) {
  for (const KernelCall& call : calls) require_runnable(call);
  std::erase_if(calls, is_empty);
  return do_compile(std::move(calls));
}

void Device::submit(Executable& executable) {
  if (plan::Recorder::capturing() != nullptr) {
    throw StateError(
        "calls that were compiled are submitted within a step that is captured; submit them outside of it");
  }
  if (profiling_ || check_ != nullptr) {
    for (const KernelCall& call : executable.calls_) run(call);
  } else {
    do_submit(executable);
  }
  for (const auto& [id, count] : executable.launches_) counters_.launches[static_cast<std::size_t>(id)] += count;
  for (Buffer* buffer : executable.written_) buffer->mark_written();
}

std::unique_ptr<Executable> Device::do_compile(std::vector<KernelCall> calls) {
  return std::make_unique<Executable>(std::move(calls));
}

void Device::do_submit(Executable& executable) {
  for (const KernelCall& call : executable.calls_) do_launch(call);
}

Device::Timing Device::timed_launch(const KernelCall& call) {
  ++counters_.waits;
  return do_timed_launch(call);
}

Device::Timing Device::do_timed_launch(const KernelCall& call) {
  const auto start = std::chrono::steady_clock::now();
  do_launch(call);
  do_wait();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {elapsed.count(), {do_path(call.id, call.spec)}};
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
