#include "backends/cuda/staging.h"

#include <algorithm>
#include <utility>

#include "backends/cuda/check.h"

namespace amphora::cuda {

Staging::Staging(const Stream& stream)
    : stream_(stream.handle()), copies_(stream.copies()), pages_(stream_), pages_of_copies_(copies_) {}

void Staging::upload(CudaBuffer& target, std::size_t offset, std::span<const std::byte> source) {
  std::byte* data = data_of(target, offset);
  if (target.last_submission() <= last_in_order_) {
    join();
    return pages_.upload(data, source);
  }
  ends_[target.last_submission() % ends_.size()].hold(copies_);
  pages_of_copies_.upload(data, source);
  copied_.record(copies_);
  copies_are_ahead_ = true;
}

void Staging::join() {
  if (!copies_are_ahead_) return;
  copied_.hold(stream_);
  copies_are_ahead_ = false;
}

void Staging::submitted(std::span<CudaBuffer* const> inputs) {
  ++submissions_;
  ends_[submissions_ % ends_.size()].record(stream_);
  for (CudaBuffer* buffer : inputs) buffer->set_last_submission(submissions_);
}

class PinnedReadback : public Readback {
 public:
  PinnedReadback(std::shared_ptr<Staging> staging, const Buffer& source, std::size_t offset, std::size_t bytes)
      : staging_(std::move(staging)),
        source_(data_of(source, offset)),
        reads_inputs_(source.kind() == MemoryKind::inputs),
        buffer_(staging_->take_readback(bytes)),
        bytes_(bytes) {
    restart();
  }
  PinnedReadback(const PinnedReadback&) = delete;
  PinnedReadback& operator=(const PinnedReadback&) = delete;
  ~PinnedReadback() override { staging_->give_back(std::move(buffer_)); }

  bool ready() const override { return buffer_->event().is_done(); }

  std::span<const std::byte> get() override {
    buffer_->event().wait();
    return {buffer_->data(), bytes_};
  }

  void restart() final {
    const cudaStream_t stream = staging_->stream_;
    if (reads_inputs_) {
      staging_->join();
      staging_->used_in_order();
    }
    if (bytes_ > 0) {
      check(cudaMemcpyAsync(buffer_->data(), source_, bytes_, cudaMemcpyDeviceToHost, stream), "copying to the host");
    }
    buffer_->event().record(stream);
  }

 private:
  std::shared_ptr<Staging> staging_;
  const void* source_;
  bool reads_inputs_;
  std::unique_ptr<PinnedBuffer> buffer_;
  std::size_t bytes_;
};

std::unique_ptr<Readback> Staging::read(const std::shared_ptr<Staging>& staging, const Buffer& source,
                                        std::size_t offset, std::size_t bytes) {
  return std::make_unique<PinnedReadback>(staging, source, offset, bytes);
}

std::unique_ptr<PinnedBuffer> Staging::take_readback(std::size_t bytes) {
  const auto fits = [&](const auto& idle) { return idle->bytes() >= bytes && idle->event().is_done(); };
  const auto found = std::find_if(readbacks_.begin(), readbacks_.end(), fits);
  if (found == readbacks_.end()) {
    constexpr std::size_t kSmallest = 4096;
    return std::make_unique<PinnedBuffer>(std::max(kSmallest, bytes));
  }
  std::unique_ptr<PinnedBuffer> buffer = std::move(*found);
  readbacks_.erase(found);
  return buffer;
}

void Staging::give_back(std::unique_ptr<PinnedBuffer> buffer) {
  constexpr std::size_t kMaxKept = 64;
  constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 20;
  // Freeing pinned memory waits for the device, so a buffer of ordinary size is kept.
  if (readbacks_.size() < kMaxKept && buffer->bytes() <= kMaxKeptBytes) readbacks_.push_back(std::move(buffer));
}

}  // namespace amphora::cuda
