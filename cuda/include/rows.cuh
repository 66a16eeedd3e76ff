// Rows in device code: which pieces of its row a lane takes.
#pragma once

#include "cuda/include/block.cuh"
#include "cuda/include/io.cuh"
#include "cuda/include/rows.h"

namespace amphora::cuda {

inline constexpr float kInfinity = __builtin_huge_valf();

// Up to eight neighbours; eight are a whole pack of the array.
struct Piece {
  std::size_t begin;
  int count;
};

// Elements begin to end - 1 of an array, cut where its packs end.
struct Row {
  std::size_t begin;
  std::size_t end;

  __device__ std::size_t pieces() const { return begin < end ? (end + kPack - 1) / kPack - begin / kPack : 0; }
  // Empty past the last.
  __device__ Piece piece(std::size_t k) const {
    const std::size_t pack = (begin / kPack + k) * kPack;
    const std::size_t first = pack < begin ? begin : pack;
    const std::size_t last = pack + kPack < end ? pack + kPack : end;
    return {first, first < last ? static_cast<int>(last - first) : 0};
  }
};

__device__ inline Row row_of(std::size_t index, std::uint32_t rows, std::uint32_t columns) {
  const std::size_t begin = index * columns;
  return {begin, index < rows ? begin + columns : begin};
}

// Calls body(index, row, lane) for the rows of this thread. Takes all threads of the block along, past the last row
// too, where rows are empty.
template <class Body>
__device__ void for_each_row(const RowTiling& tiling, std::uint32_t rows, std::uint32_t columns, Body body) {
  const unsigned at_once = blockDim.x / tiling.lanes;
  for (std::size_t first = std::size_t{blockIdx.x} * at_once; first < rows; first += std::size_t{gridDim.x} * at_once) {
    const std::size_t index = first + threadIdx.x / tiling.lanes;
    body(index, row_of(index, rows, columns), threadIdx.x % tiling.lanes);
  }
}

// A piece with -infinity where it has no element: nothing to a maximum, nothing to a sum of exponentials.
__device__ inline Pack load_exponents(const Array& array, const Piece& piece) {
  Pack pack = load(array, piece.begin, piece.count);
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k >= piece.count) pack.at[k] = -kInfinity;
  }
  return pack;
}

__device__ inline float largest_of(const Pack& pack, float start) {
#pragma unroll
  for (int k = 0; k < kPack; ++k) start = Larger{}(start, pack.at[k]);
  return start;
}

// What log-sum-exp and softmax need of a row. A row without a finite element gives a NaN sum, as does NaN.
struct RowStatistics {
  float largest;
  float sum;  // of exp(x - largest)
};

// In one reading: what was summed is rescaled whenever a larger element turns up.
__device__ inline RowStatistics statistics_of(const Array& array, const Row& row, unsigned lane, unsigned lanes) {
  float largest = -kInfinity;
  float sum = 0.0f;
  const std::size_t pieces = row.pieces();
  for (std::size_t k = lane; k < pieces; k += lanes) {
    const Pack x = load_exponents(array, row.piece(k));
    const float top = largest_of(x, largest);
    if (top > largest) sum *= expf(largest - top);
    largest = top;
    const float shift = largest == -kInfinity ? 0.0f : largest;  // NaN beside -infinity is still seen
#pragma unroll
    for (int i = 0; i < kPack; ++i) sum += expf(x.at[i] - shift);
  }
  const float top = join_lanes(largest, lanes, Larger{});
  return {top, join_lanes(sum * expf(largest - top), lanes, Plus{})};
}

}  // namespace amphora::cuda
