// The cpu backend: runs each kernel at once, in the caller's thread and a pool of helpers.
#pragma once

#include <memory>
#include <string>

#include "amphora/device/backend.h"
#include "amphora/device/device.h"
#include "backends/cpu/block_pool.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/threads.h"

namespace amphora::cpu {

class CpuDevice : public Device {
 public:
  explicit CpuDevice(const DeviceOptions& options);

 protected:
  std::string do_path(KernelId kernel, const Spec& spec) const override;
  BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) override;
  void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) override;
  std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) override;
  void do_launch(const KernelCall& call) override;
  std::unique_ptr<Executable> do_compile(std::vector<KernelCall> calls) override;
  void do_submit(Executable& executable) override;
  void do_wait() override {}

 private:
  struct Choice {
    Launcher launcher = nullptr;
    std::string_view path;
  };
  Choice choose(KernelId kernel, const Spec& spec) const;

  Threads threads_;
  bool oracle_only_;
  std::shared_ptr<BlockPool> pool_;  // shared with the buffers, which may be released after the device
};

// "AMD EPYC 9B14, 2 threads, AVX3_ZEN4": what a device opened with `options` is called.
std::string describe(const DeviceOptions& options);

}  // namespace amphora::cpu
