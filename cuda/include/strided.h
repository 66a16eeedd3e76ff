// Strided index spaces as kernels walk them: rows of the last axis, in packs of eight neighbours.
#pragma once

#include <cstdint>

#include "cuda/include/array.h"

namespace amphora::cuda {

inline constexpr int kMostAxes = 5;

// The axes before the last make rows; axes are merged, see backends/strided.h.
struct Space {
  std::int32_t rank = 1;
  std::int32_t sizes[kMostAxes] = {};
  std::uint32_t row_length = 0;  // the size of the last axis
  std::uint32_t row_packs = 0;   // packs of a row
  std::uint32_t packs = 0;       // of all rows
};

struct Strided {
  Array array;  // wide where a pack of every row begins at a multiple of 16 bytes, and neighbours are neighbours
  std::int32_t strides[kMostAxes] = {};
  std::int32_t step = 0;  // along the last axis
};

}  // namespace amphora::cuda
