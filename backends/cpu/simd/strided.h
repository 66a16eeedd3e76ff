// Index spaces with strides for several operands, walked row by row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "amphora/core/shape.h"

namespace amphora::cpu::simd {

// The axes of an index space and the strides of kOperands arrays over it, in elements. Axes of size 1 are dropped and
// neighbours that every operand runs through evenly are merged, so the last axis is as long as it can be.
template <int kOperands>
struct Axes {
  int rank = 0;
  std::array<std::int64_t, kMaxRank> sizes{};
  std::array<std::array<std::int64_t, kOperands>, kMaxRank> strides{};

  Axes(int axes, const std::int32_t* axis_sizes, const std::array<const std::int32_t*, kOperands>& axis_strides) {
    for (int axis = 0; axis < axes; ++axis) {
      if (axis_sizes[axis] == 1) continue;
      std::array<std::int64_t, kOperands> own;
      bool even = rank > 0;
      for (std::size_t k = 0; k < kOperands; ++k) {
        own[k] = axis_strides[k][axis];
        even = even && strides[last()][k] == own[k] * axis_sizes[axis];
      }
      if (even) {
        sizes[last()] *= axis_sizes[axis];
      } else {
        sizes[static_cast<std::size_t>(rank++)] = axis_sizes[axis];
      }
      strides[last()] = own;
    }
    if (rank == 0) sizes[static_cast<std::size_t>(rank++)] = 1;  // a scalar: one row of one element
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
