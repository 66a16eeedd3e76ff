// How blocks take the rows of a matrix: a few neighbouring lanes share a row, so that short rows leave no lane idle and
// long ones have a whole block.
#pragma once

#include <cstdint>

namespace amphora::cuda {

struct RowTiling {
  std::uint32_t pieces;  // of eight elements at most, that a row may overlap
  std::uint32_t lanes;   // of a row, see join_lanes
};

// Pieces that a lane of a row holds in registers at most.
inline constexpr std::uint32_t kHeld = 4;

inline RowTiling row_tiling_of(std::uint32_t columns) {
  // Where rows don't begin at packs, the ends of one may lie in two more.
  const std::uint32_t pieces = columns % 8 == 0 ? columns / 8 : columns / 8 + (columns % 8 > 1 ? 2 : 1);
  if (pieces > 32 * kHeld) return {pieces, 256};
  std::uint32_t lanes = 1;
  while (lanes < 32 && lanes < pieces) lanes *= 2;
  return {pieces, lanes};
}

}  // namespace amphora::cuda
