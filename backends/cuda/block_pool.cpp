#include "backends/cuda/block_pool.h"

#include <algorithm>
#include <vector>

namespace amphora::cuda {
namespace {

constexpr std::size_t kAlignment = 256;

}  // namespace

Block::~Block() { pool_->give_back(range_); }

std::unique_ptr<Block> BlockPool::take(std::size_t bytes) {
  const std::size_t size = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  const auto fit = [&] {
    auto best = free_.end();
    for (auto range = free_.begin(); range != free_.end(); ++range) {
      if (range->second >= size && (best == free_.end() || range->second < best->second)) best = range;
    }
    return best;
  };
  auto found = fit();
  if (found == free_.end()) {
    const std::optional<Range> more = memory_->grow(size);
    if (!more) return nullptr;
    add_free(*more);
    found = fit();
  }
  const Range range{found->first, size};
  const std::size_t rest = found->second - size;
  free_.erase(found);
  if (rest > 0) free_.emplace(range.end(), rest);
  in_use_ += size;
  return std::make_unique<Block>(shared_from_this(), range);
}

void BlockPool::give_back(const Range& range) {
  in_use_ -= range.bytes;
  add_free(range);
}

void BlockPool::add_free(const Range& range) {
  auto next = free_.upper_bound(range.begin);
  Range joined = range;
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == joined.begin) {
      joined = {previous->first, previous->second + joined.bytes};
      free_.erase(previous);
    }
  }
  if (next != free_.end() && next->first == joined.end()) {
    joined.bytes += next->second;
    free_.erase(next);
  }
  free_.emplace(joined.begin, joined.bytes);
}

void BlockPool::compact() {
  const std::vector<std::pair<Address, std::size_t>> ranges(free_.begin(), free_.end());
  for (const auto& [begin, bytes] : ranges) {
    const Range unused{begin, bytes};
    const Range gone = memory_->reclaim(unused);
    if (gone.bytes == 0) continue;
    free_.erase(begin);
    if (gone.begin > unused.begin) free_.emplace(unused.begin, gone.begin - unused.begin);
    if (gone.end() < unused.end()) free_.emplace(gone.end(), unused.end() - gone.end());
  }
}

}  // namespace amphora::cuda
