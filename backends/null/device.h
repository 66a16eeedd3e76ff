// The null backend: accepts every kernel call, checks it against the vocabulary, computes nothing.
//
// The template for a new backend: docs/add_a_backend.md.
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
