#include "backends/cpu/device.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "amphora/core/bytes_text.h"
#include "amphora/core/error.h"
#include "amphora/kernel/validate.h"
#include "backends/cpu/backend.h"

namespace amphora::cpu {
namespace {

class CpuBuffer : public Buffer {
 public:
  CpuBuffer(Device& device, std::size_t bytes, MemoryKind kind, void* data, std::shared_ptr<BlockPool> pool,
            std::shared_ptr<MemoryUse> use)
      : Buffer(device, bytes, kind), data_(data), pool_(std::move(pool)), record_(std::move(use), bytes, kind) {}
  ~CpuBuffer() override { pool_->give_back(data_, bytes()); }

  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* data_;
  std::shared_ptr<BlockPool> pool_;
  MemoryRecord record_;
};

class CpuReadback : public Readback {
 public:
  CpuReadback(const std::byte* data, std::size_t bytes) : source_(data), bytes_(data, data + bytes) {}
  bool ready() const override { return true; }
  std::span<const std::byte> get() override { return bytes_; }
  void restart() override {
    if (!bytes_.empty()) std::memcpy(bytes_.data(), source_, bytes_.size());
  }

 private:
  const std::byte* source_;
  std::vector<std::byte> bytes_;  // a copy: kernels that follow may overwrite the source
};

std::byte* data_of(const Buffer& buffer) { return static_cast<const CpuBuffer&>(buffer).data(); }

// Calls with their launchers, chosen once.
class CpuExecutable : public Executable {
 public:
  CpuExecutable(std::vector<KernelCall> calls, std::vector<Launcher> launchers)
      : Executable(std::move(calls)), launchers_(std::move(launchers)) {}

  void run(Threads& threads) const {
    for (std::size_t i = 0; i < launchers_.size(); ++i) launchers_[i](calls()[i], threads);
  }

 private:
  std::vector<Launcher> launchers_;
};

// More than this machine has is refused at once: the system would promise it and stop the program later.
std::size_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::numeric_limits<std::size_t>::max() / 2;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

std::string describe(const DeviceOptions& options, int threads) {
  return fmt::format("{}, {} {}, {}", model_name(), threads, threads == 1 ? "thread" : "threads",
                     options.cpu_oracle ? "scalar oracle" : simd::target_name());
}

int checked_threads(const DeviceOptions& options) {
  require(options.threads >= 0, "the cpu backend cannot run on {} threads; give 0 for one for each core",
          options.threads);
  return options.threads;
}

}  // namespace

void* data_of(const KernelCall& call, int index) {
  const BufferRange& range = call.buffers[static_cast<std::size_t>(index)];
  return range.buffer == nullptr ? nullptr : data_of(*range.buffer) + range.offset;
}

std::string describe(const DeviceOptions& options) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return describe(options, options.threads > 0 ? options.threads : cores);
}

BackendStatus status() { return {true, describe({})}; }

std::shared_ptr<Device> open(const DeviceOptions& options) { return std::make_shared<CpuDevice>(options); }

Support supports(KernelId kernel, const Spec& spec) {
  const std::string reason = reason_against(kernel, spec, true);
  if (!reason.empty()) return {false, reason};
  return {true, simd::find_launcher(kernel, spec) != nullptr ? "vectorised" : ""};
}

CpuDevice::CpuDevice(const DeviceOptions& options)
    : threads_(checked_threads(options)),
      oracle_only_(options.cpu_oracle),
      pool_(std::make_shared<BlockPool>(physical_memory())) {
  info_ = {"cpu",
           describe(options, threads_.count()),
           {Precision::f32, Precision::f16, Precision::bf16},
           true,
           kBackend.fused};
}

CpuDevice::Choice CpuDevice::choose(KernelId kernel, const Spec& spec) const {
  if (!oracle_only_) {
    if (const Launcher launcher = simd::find_launcher(kernel, spec)) return {launcher, "simd"};
  }
  return {oracle::find_launcher(kernel), "oracle"};
}

std::string CpuDevice::do_path(KernelId kernel, const Spec& spec) const {
  return std::string(choose(kernel, spec).path);
}

void CpuDevice::do_launch(const KernelCall& call) { choose(call.id, call.spec).launcher(call, threads_); }

std::unique_ptr<Executable> CpuDevice::do_compile(std::vector<KernelCall> calls) {
  std::vector<Launcher> launchers;
  launchers.reserve(calls.size());
  for (const KernelCall& call : calls) launchers.push_back(choose(call.id, call.spec).launcher);
  return std::make_unique<CpuExecutable>(std::move(calls), std::move(launchers));
}

void CpuDevice::do_submit(Executable& executable) { static_cast<CpuExecutable&>(executable).run(threads_); }

BufferPtr CpuDevice::do_allocate(std::size_t bytes, MemoryKind kind) {
  const BlockPool::Block block = pool_->take(bytes);
  if (block.data == nullptr) {
    throw OutOfMemory(fmt::format(
        "out of memory on cpu: {} asked for {}, {} in use of {}. Use smaller batches, gradient accumulation or a "
        "smaller model",
        bytes_text(bytes), name_of(kind), bytes_text(memory_->current_total), bytes_text(pool_->limit())));
  }
  if (block.fresh) ++counters_.allocations;
  return std::make_shared<CpuBuffer>(*this, bytes, kind, block.data, pool_, memory_);
}

void CpuDevice::do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  if (!source.empty()) std::memcpy(data_of(target) + offset, source.data(), source.size());
}

std::unique_ptr<Readback> CpuDevice::do_read(const Buffer& source, std::size_t offset, std::size_t bytes) {
  return std::make_unique<CpuReadback>(data_of(source) + offset, bytes);
}

}  // namespace amphora::cpu
