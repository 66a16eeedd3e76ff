#include "backends/cuda/graph_scratch.h"

#include <algorithm>
#include <numeric>

#include "amphora/core/error.h"
#include "backends/cuda/stream.h"

namespace amphora::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
// More than this is only taken for a call that needs more by itself.
constexpr std::size_t kPlenty = std::size_t{64} << 20;

}  // namespace

void GraphScratch::provide(Stream& stream) {
  const std::size_t sum = std::accumulate(needs_.begin(), needs_.end(), std::size_t{0});
  const std::size_t largest = needs_.empty() ? 0 : *std::max_element(needs_.begin(), needs_.end());
  all_.bytes = std::min(sum, std::max(largest, kPlenty));
  if (all_.bytes > 0) {
    block_ = stream.take(all_.bytes, "the intermediate results of a compiled step");
    all_.begin = reinterpret_cast<Address>(block_->data());
  }
  next_ = all_.begin;
  has_memory_ = true;
}

Range GraphScratch::begin_call() {
  if (!has_memory_) {
    needs_.push_back(0);
    return {};
  }
  const std::size_t need = needs_.at(calls_++);
  if (need > all_.end() - next_) next_ = all_.begin;
  left_ = {next_, need};
  next_ += need;
  return left_;
}

void* GraphScratch::take(std::size_t bytes) {
  const std::size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (!has_memory_) {
    needs_.back() += size;
    return nullptr;
  }
  require(size <= left_.bytes,
          "a call of a compiled step asks for {} bytes of scratch memory, more than when asked first", bytes);
  void* result = reinterpret_cast<void*>(left_.begin);
  left_ = {left_.begin + size, left_.bytes - size};
  return result;
}

}  // namespace amphora::cuda
