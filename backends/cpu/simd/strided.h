// Index spaces with strides for several operands, walked row by row.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "amphora/core/shape.h"
#include "amphora/kernel/strided.h"

namespace amphora::cpu::simd {

// The axes of an index space, merged, and the strides of kOperands arrays over it, in elements.
template <int kOperands>
struct Axes {
  std::int32_t rank = 0;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<std::array<std::int64_t, kOperands>, kMaxRank> strides{};

  Axes(std::int32_t axes, const Extents& axis_sizes, const std::array<const std::uint32_t*, kOperands>& axis_strides)
      : rank(axes) {
    Extents merged_sizes, merged[kOperands];
    std::array<std::uint32_t*, kOperands> pointers;
    std::copy_n(axis_sizes, kMaxRank, merged_sizes);
    for (std::size_t k = 0; k < kOperands; ++k) {
      pointers[k] = std::copy_n(axis_strides[k], kMaxRank, merged[k]) - kMaxRank;
    }
    merge_axes(rank, merged_sizes, pointers);
    for (std::size_t axis = 0; axis <= last(); ++axis) {
      sizes[axis] = merged_sizes[axis];
      for (std::size_t k = 0; k < kOperands; ++k) strides[axis][k] = merged[k][axis];
    }
  }

  std::size_t last() const { return static_cast<std::size_t>(rank - 1); }
  // Elements of a row, and how many rows there are.
  std::int64_t columns() const { return sizes[last()]; }
  std::int64_t rows() const {
    std::int64_t count = 1;
    for (std::size_t axis = 0; axis < last(); ++axis) count *= sizes[axis];
    return count;
  }
};

// A position in the rows of an Axes, with each operand's offset there.
template <int kOperands>
class Walker {
 public:
  Walker(const Axes<kOperands>& axes, std::int64_t row) : axes_(axes) {
    for (std::size_t axis = axes.last(); axis-- > 0;) {
      index_[axis] = row % axes.sizes[axis];
      row /= axes.sizes[axis];
      for (std::size_t k = 0; k < kOperands; ++k) offsets_[k] += index_[axis] * axes.strides[axis][k];
    }
  }

  std::int64_t offset(std::size_t operand) const { return offsets_[operand]; }

  void next() {
    for (std::size_t axis = axes_.last(); axis-- > 0;) {
      for (std::size_t k = 0; k < kOperands; ++k) offsets_[k] += axes_.strides[axis][k];
      if (++index_[axis] < axes_.sizes[axis]) return;
      index_[axis] = 0;
      for (std::size_t k = 0; k < kOperands; ++k) offsets_[k] -= axes_.sizes[axis] * axes_.strides[axis][k];
    }
  }

 private:
  const Axes<kOperands>& axes_;
  std::array<std::int64_t, kMaxRank> index_{};
  std::array<std::int64_t, kOperands> offsets_{};
};

}  // namespace amphora::cpu::simd
