#include "backends/cpu/block_pool.h"

#include <algorithm>
#include <bit>
#include <new>

namespace amphora::cpu {
namespace {

constexpr std::size_t kAlignment = 64;
// Eight classes between two powers of two: a block is at most an eighth larger than what was asked for.
constexpr int kStepBits = 3;

struct SizeClass {
  std::size_t index;
  std::size_t size;
};

SizeClass class_of(std::size_t bytes) {
  const std::size_t lines = std::max<std::size_t>(1, (bytes + kAlignment - 1) / kAlignment);
  const int width = std::bit_width(lines - 1);  // lines lies in (2^(width - 1), 2^width]
  const int shift = std::max(0, width - 1 - kStepBits);
  const std::size_t steps = ((lines - 1) >> shift) + 1;
  const auto index = (static_cast<std::size_t>(shift) << (kStepBits + 1)) + steps - 1;  // steps: 1 to 16
  return {index, (steps << shift) * kAlignment};
}

}  // namespace

BlockPool::Block BlockPool::take(std::size_t bytes) {
  if (bytes > limit_) return {};  // before any rounding could overflow
  const SizeClass wanted = class_of(bytes);
  if (wanted.index >= unused_.size()) unused_.resize(wanted.index + 1);
  auto& blocks = unused_[wanted.index];
  if (!blocks.empty()) {
    void* data = blocks.back();
    blocks.pop_back();
    return {data, false};
  }
  void* data = from_system(wanted.size);
  if (data == nullptr) {
    release_unused();
    data = from_system(wanted.size);
  }
  return {data, data != nullptr};
}

void BlockPool::give_back(void* data, std::size_t bytes) { unused_[class_of(bytes).index].push_back(data); }

void* BlockPool::from_system(std::size_t size) {
  if (size > limit_ - std::min(held_, limit_)) return nullptr;
  void* data = ::operator new (size, std::align_val_t{kAlignment}, std::nothrow);
  if (data != nullptr) held_ += size;
  return data;
}

void BlockPool::release_unused() {
  for (std::size_t index = 0; index < unused_.size(); ++index) {
    const std::size_t shift = index >> (kStepBits + 1);
    const std::size_t steps = (index & ((std::size_t{2} << kStepBits) - 1)) + 1;
    held_ -= unused_[index].size() * (steps << shift) * kAlignment;
    for (void* data : unused_[index]) ::operator delete (data, std::align_val_t{kAlignment});
    unused_[index].clear();
  }
}

}  // namespace amphora::cpu
