#include "backends/cuda/staging.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cuda/check.h"
#include "core/error.h"

namespace amphora::cuda {
namespace {

constexpr std::size_t kPageBytes = std::size_t{4} << 20;
// So much may be under way; then uploads wait for the oldest.
constexpr std::size_t kMaxPages = 16;
constexpr std::size_t kAlignment = 256;

}  // namespace

Event::Event(unsigned flags) { check(cudaEventCreateWithFlags(&handle_, flags), "making an event"); }
// After a fault even this fails, and whoever asked for results was told.
Event::~Event() { cudaEventDestroy(handle_); }

void Event::record(cudaStream_t stream) { check(cudaEventRecord(handle_, stream), "recording an event"); }

bool Event::is_done() const {
  const cudaError_t status = cudaEventQuery(handle_);
  if (status == cudaErrorNotReady) return false;
  check(status, "asking how far the device is");
  return true;
}

void Event::wait() const { check(cudaEventSynchronize(handle_), "waiting for the device"); }

PinnedBuffer::PinnedBuffer(std::size_t bytes) : bytes_(bytes) {
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), fmt::format("pinning {} bytes of host memory", bytes));
  data_ = static_cast<std::byte*>(data);
}

PinnedBuffer::~PinnedBuffer() { cudaFreeHost(data_); }

PinnedBuffer& Staging::page_with(std::size_t bytes) {
  if (!pages_.empty() && used_ + bytes <= pages_.back()->bytes()) return *pages_.back();
  std::unique_ptr<PinnedBuffer> page;
  if (!pages_.empty() && (pages_.size() >= kMaxPages || pages_.front()->event().is_done())) {
    page = std::move(pages_.front());
    pages_.pop_front();
    page->event().wait();
  } else {
    page = std::make_unique<PinnedBuffer>(kPageBytes);
  }
  pages_.push_back(std::move(page));
  used_ = 0;
  return *pages_.back();
}

void Staging::upload(void* target, std::span<const std::byte> source) {
  auto* next = static_cast<std::byte*>(target);
  while (!source.empty()) {
    const std::size_t bytes = std::min(source.size(), kPageBytes);
    PinnedBuffer& page = page_with(bytes);
    std::byte* staged = page.data() + used_;
    std::memcpy(staged, source.data(), bytes);
    check(cudaMemcpyAsync(next, staged, bytes, cudaMemcpyHostToDevice, stream_), "copying to the device");
    page.event().record(stream_);
    used_ = std::min((used_ + bytes + kAlignment - 1) / kAlignment * kAlignment, page.bytes());
    source = source.subspan(bytes);
    next += bytes;
  }
}

class PinnedReadback : public Readback {
 public:
  PinnedReadback(std::shared_ptr<Staging> staging, const void* source, std::size_t bytes)
      : staging_(std::move(staging)), source_(source), buffer_(staging_->take_readback(bytes)), bytes_(bytes) {
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
    if (bytes_ > 0) {
      check(cudaMemcpyAsync(buffer_->data(), source_, bytes_, cudaMemcpyDeviceToHost, stream), "copying to the host");
    }
    buffer_->event().record(stream);
  }

 private:
  std::shared_ptr<Staging> staging_;
  const void* source_;
  std::unique_ptr<PinnedBuffer> buffer_;
  std::size_t bytes_;
};

std::unique_ptr<Readback> Staging::read(const std::shared_ptr<Staging>& staging, const void* source,
                                        std::size_t bytes) {
  return std::make_unique<PinnedReadback>(staging, source, bytes);
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
  constexpr std::size_t kMostKept = 64;
  constexpr std::size_t kLargestKept = std::size_t{1} << 20;
  // Freeing pinned memory waits for the device, so a buffer of ordinary size is kept.
  if (readbacks_.size() < kMostKept && buffer->bytes() <= kLargestKept) readbacks_.push_back(std::move(buffer));
}

}  // namespace amphora::cuda
