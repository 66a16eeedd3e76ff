// Host-device transfers, through pinned memory from a pool, because pinning is slow.
//
// Copies run in order with all else, but for one case: new inputs of a compiled step, that is of a buffer which nothing
// has used since the step was submitted, are copied on a stream of their own. The copy waits for the last submission
// that uses the buffer, and what is queued later waits for the copy; so with two sets of inputs by turns, the copy runs
// beside a step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "amphora/device/device.h"
#include "backends/cuda/buffer.h"
#include "backends/cuda/pinned.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {

class Staging {
 public:
  explicit Staging(const Stream& stream);

  // Queues copies from `source`, which may be reused as soon as this returns.
  void upload(CudaBuffer& target, std::size_t offset, std::span<const std::byte> source);
  // Queues a copy to the host. The readback shares ownership of `staging`.
  static std::unique_ptr<Readback> read(const std::shared_ptr<Staging>& staging, const Buffer& source,
                                        std::size_t offset, std::size_t bytes);

  // Before anything is put into the stream that may use what was copied beside it.
  void join();
  // A step was submitted that uses these buffers, all of MemoryKind::inputs.
  void submitted(std::span<CudaBuffer* const> inputs);
  // Something else that may use inputs was put into the stream.
  void used_in_order() { last_in_order_ = submissions_; }

 private:
  friend class PinnedReadback;
  std::unique_ptr<PinnedBuffer> take_readback(std::size_t bytes);
  void give_back(std::unique_ptr<PinnedBuffer> buffer);

  cudaStream_t stream_;
  cudaStream_t copies_;  // beside it
  UploadPages pages_;
  UploadPages pages_of_copies_;
  std::vector<std::unique_ptr<PinnedBuffer>> readbacks_;

  // The ends of submissions by number, in turns: an event that was recorded again stands for a later one.
  std::array<Event, 4> ends_;
  std::uint64_t submissions_ = 0;
  std::uint64_t last_in_order_ = 0;  // the last submission when inputs were used otherwise
  Event copied_;
  bool copies_are_ahead_ = false;  // of what the stream waits for
};

}  // namespace amphora::cuda
