// Strided index spaces as kernels walk them: merged axes, the last fastest; see amphora/kernel/strided.h.
#pragma once

#include <cstdint>

#include "cuda/include/array.h"

namespace amphora::cuda {

inline constexpr int kMaxAxes = 5;

struct Space {
  std::uint32_t count = 0;  // of elements
  std::int32_t rank = 1;
  std::uint32_t sizes[kMaxAxes] = {};
  bool packs = false;  // eight neighbours at a time: they lie in one row, and the result takes them at once
};

struct Strided {
  Array array;  // wide where a pack of every row begins at a multiple of 16 bytes, and neighbours are neighbours
  std::uint32_t strides[kMaxAxes] = {};  // 0 beyond the rank
  std::uint32_t step = 0;                // along the last axis
};

}  // namespace amphora::cuda
