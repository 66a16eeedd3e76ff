// The null backend: accepts every kernel call, checks it against the vocabulary, computes nothing.
//
// To add a backend, copy this folder to backends/NAME and replace the bodies in device.cpp:
//   1. do_allocate: give the Buffer a piece of device memory; keep the MemoryRecord, throw OutOfMemory.
//   2. do_upload and do_read: queue a copy. A Readback keeps its bytes until it is destroyed.
//   3. do_launch: find the launcher of call.id in an array of your own and queue it. Start with the kernels of the
//      families copy, pointwise, matmul and optim; do_refuse says which ones there are not.
//   4. do_wait: block until the queue is empty.
//   5. do_compile and do_submit, once the rest runs: prepare a list of calls, so that it can be queued at little cost.
//   6. Describe the backend in backend.h, and add it to the list in backends/registry.cpp. The conformance tests then
//   hold every kernel to the cpu oracle.
#pragma once

#include <memory>

#include "amphora/device/device.h"

namespace amphora::null {

class NullDevice : public Device {
 public:
  NullDevice();

 protected:
  std::string do_path(KernelId kernel, const Spec& spec) const override;
  BufferPtr do_allocate(std::size_t bytes, MemoryKind kind) override;
  void do_upload(Buffer& target, std::size_t offset, std::span<const std::byte> source) override;
  std::unique_ptr<Readback> do_read(const Buffer& source, std::size_t offset, std::size_t bytes) override;
  void do_launch(const KernelCall& call) override;
  void do_submit(Executable& executable) override;
  void do_wait() override;
};

}  // namespace amphora::null
