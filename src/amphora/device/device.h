// The whole contract between the runtime and a backend.
//
// Calls are asynchronous and run in the order in which they were given; only wait() and Readback::get() block.
// A backend derives from Device and implements the protected functions; kernels are not virtual functions but an array
// of launchers of the backend's own, indexed by KernelId.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "amphora/core/buffer.h"
#include "amphora/core/dtype.h"
#include "amphora/core/place.h"
#include "amphora/kernel/call.h"

namespace amphora {

struct DeviceInfo {
  std::string backend;  // "cpu"
  std::string name;     // "AMD EPYC, 2 threads, AVX3"
  std::vector<Precision> precisions;
  bool has_f64 = false;  // kernels take f64, and compute in it
};

struct Support {
  bool supported = false;
  std::string path;  // which implementation runs: "simd", "oracle"; where unsupported: the reason
};

// A copy of device memory to the host that is under way.
class Readback {
 public:
  virtual ~Readback() = default;
  virtual bool ready() const = 0;
  // Waits if the copy has not arrived yet. The bytes live as long as this object.
  virtual std::span<const std::byte> get() = 0;
  // Queues the same copy again, of what the memory holds by then, which must still be there; get() then gives that.
  // Allocates nothing.
  virtual void restart() = 0;
};

// Calls that are run together again and again; made by Device::compile(). A backend derives from it to keep what it
// worked out beforehand.
class Executable {
 public:
  explicit Executable(std::vector<KernelCall> calls);
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;
  virtual ~Executable() = default;

  std::span<const KernelCall> calls() const { return calls_; }

 private:
  friend class Device;
  std::vector<KernelCall> calls_;
  std::vector<std::pair<KernelId, std::uint64_t>> launches_;  // how often each kernel is launched
  std::vector<Buffer*> written_;                              // each once
};

struct MemoryUse {
  std::array<std::size_t, kMemoryKinds> current{};  // bytes by MemoryKind
  std::array<std::size_t, kMemoryKinds> peak{};     // the largest that each kind was
  std::size_t current_total = 0;
  std::size_t peak_total = 0;
};

// Since the last reset_counters().
struct Counters {
  std::array<std::uint64_t, kKernelCount> launches{};
  // Only while profiling: the time of each kernel, and what ran for it how often ("simd", "matmul_coopmat_f16").
  std::array<double, kKernelCount> seconds{};
  std::array<std::map<std::string, std::uint64_t>, kKernelCount> paths{};
  std::uint64_t waits = 0;
  std::uint64_t allocations = 0;  // from the system; reuse by the pool is not counted
};

class ValueCheck;

class Device {
 public:
  Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device();

  const DeviceInfo& info() const { return info_; }
  // Whether it runs a kernel on these types.
  Support supports(KernelId kernel, const Spec& spec) const;

  // Uninitialised memory, aligned to at least 64 bytes, released when the last owner goes. Must not outlive the device.
  // Throws OutOfMemory, naming how much was asked, for what, and how much is in use.
  BufferPtr allocate(std::size_t bytes, MemoryKind kind);

  // Queues a copy from the host; `source` may be reused as soon as this returns.
  void upload(Buffer& target, std::size_t offset, std::span<const std::byte> source);
  // Queues a copy to the host. Throws StateError while a step is captured, naming the op and `where`.
  std::unique_ptr<Readback> read_later(const Buffer& source, std::size_t offset, std::size_t bytes,
                                       CodeLine where = CodeLine::current());
  // Copies to the host and waits. Throws as read_later() does.
  void download(const Buffer& source, std::size_t offset, std::span<std::byte> target,
                CodeLine where = CodeLine::current());

  // Queues a kernel; one with nothing to do is left out. Throws Error, naming kernel, types and backend, when the call
  // is not valid (kernel/validate.h) or the backend cannot run it. While this thread's plan::Recorder captures, the
  // call is noted and does not run.
  void launch(const KernelCall& call);

  // Prepares calls for submit(). Throws as launch() does, or OutOfMemory. The buffers must live as long as the result
  // is submitted; calls that share memory run in order, others may overlap.
  std::unique_ptr<Executable> compile(std::vector<KernelCall> calls);
  // Queues all calls of what this device compiled. Allocates nothing. Throws StateError while a step is captured.
  void submit(Executable& executable);
  // Waits for all that was queued.
  void wait();

  struct Timing {
    double seconds = 0.0;
    std::vector<std::string> paths;  // what ran for the call
  };
  // Launches, waits, and tells the device's own time where it keeps one.
  Timing timed_launch(const KernelCall& call);

  const MemoryUse& memory() const { return *memory_; }
  const Counters& counters() const { return counters_; }
  void reset_counters() { counters_ = {}; }
  // Times each launch; a launch then waits for its end.
  void set_profiling(bool on) { profiling_ = on; }

  // DerivativeReads at the values of each call, as AMPHORA_CHECK=1 does from the start, and hands over the text of each
  // report; an empty function writes it to stderr. A step should not be recorded then: a plan's calls don't know their
  // places.
  void check_values(std::function<void(const std::string& text)> report);
  bool checks_values() const { return check_ != nullptr; }

 protected:
  // Why the backend cannot run a kernel on these types; empty where it can. Here: what the kernel's row says.
  virtual std::string do_refuse(KernelId kernel, const Spec& spec) const;
  // The name of the implementation that runs.
  virtual std::string do_path(KernelId kernel, const Spec& spec) const = 0;
  virtual BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) = 0;
  virtual void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) = 0;
  virtual std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) = 0;
  // A call that was found valid, on types that are not refused, with something to do.
  virtual void do_launch(const KernelCall& call) = 0;
  // Launches and waits. Here: by the host's clock, and the path that supports() names.
  virtual Timing do_timed_launch(const KernelCall& call);
  virtual void do_wait() = 0;
  // Here: keeps the calls, and launches them one by one.
  virtual std::unique_ptr<Executable> do_compile(std::vector<KernelCall> calls);
  virtual void do_submit(Executable& executable);

  DeviceInfo info_;
  Counters counters_;
  std::shared_ptr<MemoryUse> memory_ = std::make_shared<MemoryUse>();

 private:
  friend class ValueCheck;
  void require_runnable(const KernelCall& call) const;
  void run(const KernelCall& call);
  void launch_now(const KernelCall& call);
  bool profiling_ = false;
  std::unique_ptr<ValueCheck> check_;  // null: values are not looked at
};

// Accounts a buffer's memory for as long as it lives; a backend's Buffer holds one.
class MemoryRecord {
 public:
  MemoryRecord(std::shared_ptr<MemoryUse> use, std::size_t bytes, MemoryKind kind);
  MemoryRecord(const MemoryRecord&) = delete;
  MemoryRecord& operator=(const MemoryRecord&) = delete;
  ~MemoryRecord();

 private:
  std::shared_ptr<MemoryUse> use_;
  std::size_t bytes_;
  MemoryKind kind_;
};

}  // namespace amphora
