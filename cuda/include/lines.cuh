// The lines of [outer, extent, inner] along the middle, where inner is more than one: what a thread takes of them.
#pragma once

#include "cuda/include/block.cuh"
#include "cuda/include/io.cuh"
#include "cuda/include/reduce.h"

namespace amphora::cuda {

// kWidth neighbouring lines, or a part of each.
template <int kWidth>
struct Lines {
  std::size_t outer;
  std::size_t column;  // of the inner axis: the first of kWidth
  std::size_t row;     // from this one in steps of row_lanes
  std::size_t end;
  std::uint32_t part;
  std::uint32_t row_lane;

  __device__ bool exist(const ReduceParams& params) const { return outer < params.outer && column < params.inner; }
};

template <int kWidth>
__device__ Lines<kWidth> lines_of(const ColumnLineTiling& tiling, const ReduceParams& params) {
  const std::uint32_t group = threadIdx.x / tiling.columns;
  const std::size_t outers = kBlock / (tiling.columns * tiling.row_lanes);
  std::uint32_t block = blockIdx.x;
  Lines<kWidth> lines;
  lines.column = (std::size_t{block % tiling.column_blocks} * tiling.columns + threadIdx.x % tiling.columns) * kWidth;
  block /= tiling.column_blocks;
  lines.part = block % tiling.parts;
  lines.outer = block / tiling.parts * outers + group / tiling.row_lanes;
  lines.row_lane = group % tiling.row_lanes;
  const std::size_t begin = std::size_t{lines.part} * tiling.part_rows;
  lines.row = begin + lines.row_lane;
  lines.end = begin + tiling.part_rows < params.extent ? begin + tiling.part_rows : params.extent;
  if (!lines.exist(params)) lines.end = 0;
  return lines;
}

// kWidth neighbours: a whole pack where that is eight.
template <int kWidth>
__device__ Pack load_columns(const Array& array, std::size_t i) {
  if constexpr (kWidth == kPack) return load(array, i, kPack);
  return {{load(array, i)}};
}

// One array for all that a kernel may join.
template <int kWidth, class T>
__device__ auto shared_values() -> T (*)[kBlock] {
  __shared__ T values[kWidth][kBlock];
  return values;
}

// Joins the row lanes of each line; row lane 0 gets the result. All threads of the block must get here.
template <int kWidth, class T, class Join>
__device__ void join_row_lanes(T (&values)[kWidth], const ColumnLineTiling& tiling, std::uint32_t row_lane, Join join) {
  if (tiling.row_lanes == 1) return;
  T(*const of_thread)[kBlock] = shared_values<kWidth, T>();
#pragma unroll
  for (int k = 0; k < kWidth; ++k) of_thread[k][threadIdx.x] = values[k];
  for (std::uint32_t reach = tiling.row_lanes / 2; reach > 0; reach /= 2) {
    __syncthreads();
    if (row_lane >= reach) continue;
#pragma unroll
    for (int k = 0; k < kWidth; ++k) {
      T& mine = of_thread[k][threadIdx.x];
      mine = join(mine, of_thread[k][threadIdx.x + reach * tiling.columns]);
    }
  }
#pragma unroll
  for (int k = 0; k < kWidth; ++k) values[k] = of_thread[k][threadIdx.x];
}

}  // namespace amphora::cuda
