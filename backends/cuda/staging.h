// Pinned host memory: the way in and out of the device, from a pool, because pinning is slow.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include <cuda_runtime.h>

#include "backends/device.h"

namespace amphora::cuda {

// A point in the stream that the host can ask about.
class Event {
 public:
  explicit Event(unsigned flags = cudaEventDisableTiming);
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event();

  cudaEvent_t handle() const { return handle_; }
  void record(cudaStream_t stream);
  // Whether the device has passed it; true when it was never recorded. Throws Error when the device reports a fault.
  bool is_done() const;
  void wait() const;

 private:
  cudaEvent_t handle_ = nullptr;
};

class PinnedBuffer {
 public:
  explicit PinnedBuffer(std::size_t bytes);
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;
  ~PinnedBuffer();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  // Marks the end of the last command that touches the buffer.
  Event& event() { return event_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_;
  Event event_;
};

class Staging {
 public:
  explicit Staging(cudaStream_t stream) : stream_(stream) {}

  // Queues copies from `source`, which may be reused as soon as this returns. Waits only when very much is under way.
  void upload(void* target, std::span<const std::byte> source);
  // Queues a copy to the host. The pool must outlive the readback or be told: it lives as long as its last owner.
  static std::unique_ptr<Readback> read(const std::shared_ptr<Staging>& staging, const void* source, std::size_t bytes);

 private:
  friend class PinnedReadback;
  std::unique_ptr<PinnedBuffer> take_readback(std::size_t bytes);
  void give_back(std::unique_ptr<PinnedBuffer> buffer);
  PinnedBuffer& page_with(std::size_t bytes);

  cudaStream_t stream_;
  std::deque<std::unique_ptr<PinnedBuffer>> pages_;  // in the order of use; the last one is being filled
  std::size_t used_ = 0;                             // bytes of the last page
  std::vector<std::unique_ptr<PinnedBuffer>> readbacks_;
};

}  // namespace amphora::cuda
