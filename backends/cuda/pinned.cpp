#include "backends/cuda/pinned.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "amphora/core/error.h"
#include "backends/cuda/check.h"

namespace amphora::cuda {
namespace {

constexpr std::size_t kPageBytes = std::size_t{4} << 20;
// So much may be under way; then uploads wait for the oldest.
constexpr std::size_t kMaxPages = 16;
constexpr std::size_t kAlignment = 256;

}  // namespace

Event::Event(unsigned flags) { check(cudaEventCreateWithFlags(&handle_, flags), "making an event"); }
// After a fault even this fails; the results that were asked for have thrown.
Event::~Event() { cudaEventDestroy(handle_); }

void Event::record(cudaStream_t stream) { check(cudaEventRecord(handle_, stream), "recording an event"); }

bool Event::is_done() const {
  const cudaError_t status = cudaEventQuery(handle_);
  if (status == cudaErrorNotReady) return false;
  check(status, "asking how far the device is");
  return true;
}

void Event::wait() const { check(cudaEventSynchronize(handle_), "waiting for the device"); }

void Event::hold(cudaStream_t stream) const {
  check(cudaStreamWaitEvent(stream, handle_, 0), "letting a stream wait for another");
}

PinnedBuffer::PinnedBuffer(std::size_t bytes) : bytes_(bytes) {
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes, cudaHostAllocDefault), fmt::format("pinning {} bytes of host memory", bytes));
  data_ = static_cast<std::byte*>(data);
}

PinnedBuffer::~PinnedBuffer() { cudaFreeHost(data_); }

PinnedBuffer& UploadPages::page_with(std::size_t bytes) {
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

void UploadPages::upload(std::byte* target, std::span<const std::byte> source) {
  while (!source.empty()) {
    const std::size_t bytes = std::min(source.size(), kPageBytes);
    PinnedBuffer& page = page_with(bytes);
    std::byte* staged = page.data() + used_;
    std::memcpy(staged, source.data(), bytes);
    check(cudaMemcpyAsync(target, staged, bytes, cudaMemcpyHostToDevice, stream_), "copying to the device");
    page.event().record(stream_);
    used_ = std::min((used_ + bytes + kAlignment - 1) / kAlignment * kAlignment, page.bytes());
    source = source.subspan(bytes);
    target += bytes;
  }
}

}  // namespace amphora::cuda
