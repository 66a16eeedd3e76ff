// Layout: which elements of a buffer's range a call touches. What lies between them may be anything.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <numeric>

#include "amphora/kernel/call.h"

namespace amphora {

struct Layout {
  std::array<std::int64_t, 5> sizes = {1, 1, 1, 1, 1};
  std::array<std::int64_t, 5> strides{};

  static Layout strided(int rank, const std::int32_t* sizes, const std::int32_t* strides) {
    Layout layout;
    for (int axis = 0; axis < rank; ++axis) {
      const auto at = static_cast<std::size_t>(axis + 5 - rank);
      layout.sizes[at] = sizes[axis];
      layout.strides[at] = strides[axis];
    }
    return layout;
  }

  std::int64_t count() const {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
  }

  // Calls visit(number, position) for each element, in order, until that returns false.
  template <class Visit>
  void for_each(Visit visit) const {
    std::int64_t number = 0;
    std::array<std::int64_t, 5> at{};
    if (count() == 0) return;
    while (true) {
      std::int64_t position = 0;
      for (std::size_t axis = 0; axis < 4; ++axis) position += at[axis] * strides[axis];
      for (std::int64_t i = 0; i < sizes[4]; ++i, position += strides[4]) {
        if (!visit(number++, position)) return;
      }
      std::size_t axis = 4;
      while (axis > 0 && ++at[axis - 1] == sizes[axis - 1]) at[--axis] = 0;
      if (axis == 0) return;
    }
  }
};

// Of a call's buffer `index`, whose range has room for `count` elements.
Layout layout_of(const KernelCall& call, int index, std::int64_t count);

}  // namespace amphora
