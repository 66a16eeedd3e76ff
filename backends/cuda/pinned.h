// Pinned host memory, which the device copies from and to without waiting, and events, which tell how far it is.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>

#include <cuda_runtime.h>

namespace amphora::cuda {

// A point in a stream that the host can ask about.
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
  // Lets what is put into a stream from now on wait for it.
  void hold(cudaStream_t stream) const;

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

// The pages through which copies of one stream go to the device.
class UploadPages {
 public:
  explicit UploadPages(cudaStream_t stream) : stream_(stream) {}

  // Queues copies from `source`, which may be reused as soon as this returns. Waits only when very much is under way.
  void upload(std::byte* target, std::span<const std::byte> source);

 private:
  PinnedBuffer& page_with(std::size_t bytes);

  cudaStream_t stream_;
  std::deque<std::unique_ptr<PinnedBuffer>> pages_;  // in the order of use; the last one is being filled
  std::size_t used_ = 0;                             // bytes of the last page
};

}  // namespace amphora::cuda
