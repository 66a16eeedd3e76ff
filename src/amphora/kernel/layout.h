// Layout: where the elements of a call's operand lie in the operand's range. What lies between them may be anything.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace amphora {

struct Layout {
  static constexpr std::size_t kAxes = 5;

  // Outermost first; axes past the rank are in front and have one element. Strides count elements.
  int rank = 0;
  std::array<std::int64_t, kAxes> sizes = {1, 1, 1, 1, 1};
  std::array<std::int64_t, kAxes> strides{};

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const std::int64_t size : sizes) product *= size;
    return product > 0 ? product : 0;
  }
  // Elements from the range's beginning to behind the last one of the layout.
  std::int64_t span() const {
    if (count() == 0) return 0;
    std::int64_t last = 0;
    for (std::size_t axis = 0; axis < kAxes; ++axis) last += (sizes[axis] - 1) * strides[axis];
    return last + 1;
  }
  // Whether elements lie in memory in their order, without gaps. An axis of one element may have any stride.
  bool is_dense() const {
    std::int64_t step = 1;
    for (std::size_t axis = kAxes; axis-- > 0;) {
      if (sizes[axis] != 1 && strides[axis] != step) return false;
      step *= sizes[axis];
    }
    return true;
  }

  // Calls visit(number, position) for each element, in order, until that returns false.
  template <class Visit>
  void for_each(Visit visit) const {
    std::int64_t number = 0;
    std::array<std::int64_t, kAxes> at{};
    if (count() == 0) return;
    while (true) {
      std::int64_t position = 0;
      for (std::size_t axis = 0; axis + 1 < kAxes; ++axis) position += at[axis] * strides[axis];
      for (std::int64_t i = 0; i < sizes[kAxes - 1]; ++i, position += strides[kAxes - 1]) {
        if (!visit(number++, position)) return;
      }
      std::size_t axis = kAxes - 1;
      while (axis > 0 && ++at[axis - 1] == sizes[axis - 1]) at[--axis] = 0;
      if (axis == 0) return;
    }
  }
};

// The layouts that kernels.def speaks of.
namespace layouts {

inline Layout dense(int rank, const std::int32_t* sizes) {
  Layout layout{.rank = rank};
  std::int64_t step = 1;
  for (int axis = rank; axis-- > 0;) {
    const std::size_t at = static_cast<std::size_t>(axis) + Layout::kAxes - static_cast<std::size_t>(rank);
    layout.sizes[at] = sizes[axis];
    layout.strides[at] = step;
    step *= sizes[axis];
  }
  return layout;
}

inline Layout strided(int rank, const std::int32_t* sizes, const std::int32_t* strides) {
  Layout layout = dense(rank, sizes);
  for (int axis = 0; axis < rank; ++axis) {
    layout.strides[static_cast<std::size_t>(axis) + Layout::kAxes - static_cast<std::size_t>(rank)] = strides[axis];
  }
  return layout;
}

// `count` elements, `step` apart.
inline Layout spaced(std::int64_t count, std::int64_t step) {
  return {.rank = 1, .sizes = {1, 1, 1, 1, count}, .strides = {0, 0, 0, 0, step}};
}
inline Layout flat(std::int64_t count) { return spaced(count, 1); }

inline Layout planes(std::int64_t outer, std::int64_t extent, std::int64_t inner) {
  return {.rank = 3, .sizes = {1, 1, outer, extent, inner}, .strides = {0, 0, extent * inner, inner, 1}};
}
inline Layout rows(std::int64_t rows, std::int64_t columns) {
  return {.rank = 2, .sizes = {1, 1, 1, rows, columns}, .strides = {0, 0, 0, columns, 1}};
}

// Row-major, rows `leading` apart; where transposed, what is stored is columns x rows.
inline Layout matrices(std::int64_t batch, std::int64_t rows, std::int64_t columns, bool transposed,
                       std::int64_t leading, std::int64_t batch_stride) {
  return {.rank = 3,
          .sizes = {1, 1, batch, transposed ? columns : rows, transposed ? rows : columns},
          .strides = {0, 0, batch_stride, leading, 1}};
}

// Of device state, which has no elements.
inline Layout state() { return {}; }

}  // namespace layouts

}  // namespace amphora
