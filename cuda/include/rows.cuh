// A row for a warp, or for a block: loops over its packs, and reductions over its threads in a fixed order.
#pragma once

#include "cuda/include/block.cuh"
#include "cuda/include/io.cuh"
#include "cuda/include/rows.h"

namespace amphora::cuda {

// Calls body(i, n) for the packs of row `row` that this thread takes; i counts from the array's first element.
template <class Body>
__device__ void for_each_pack_of_row(std::uint32_t row, std::uint32_t columns, unsigned threads, Body body) {
  const std::size_t begin = std::size_t{row} * columns;
  for (std::uint32_t column = threadIdx.x % threads * kPack; column < columns; column += threads * kPack) {
    const std::uint32_t left = columns - column;
    body(begin + column, static_cast<int>(left < kPack ? left : kPack));
  }
}

// Calls body(row) for the rows of this thread's warp or block. All threads that share a row stay together.
template <class Body>
__device__ void for_each_row(std::uint32_t rows, unsigned threads, Body body) {
  const unsigned at_once = kRowThreads / threads;
  const std::uint32_t first = blockIdx.x * at_once + threadIdx.x / threads;
  for (std::uint32_t row = first; row < rows; row += gridDim.x * at_once) body(row);
}

// Values of the threads that share a row, joined; each of them has the result.
template <class Join>
__device__ float joined_in_row(float value, float neutral, unsigned threads, float* shared, Join join) {
  return threads == kWarpThreads ? joined_in_warp(value, join) : joined_in_block(value, neutral, shared, join);
}

// The largest number of a row, NaN left out; -infinity of an empty one.
__device__ inline float largest_of_row(const Array& x, std::uint32_t row, std::uint32_t columns, unsigned threads,
                                       float* shared) {
  const float least = float_of(0xFF800000u);
  float largest = least;
  for_each_pack_of_row(row, columns, threads, [&](std::size_t i, int n) {
    const Pack pack = load(x, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k < n) largest = fmaxf(largest, pack.at[k]);
    }
  });
  return joined_in_row(largest, least, threads, shared, Largest());
}

// The sum of exp(x - largest) over a row.
__device__ inline float sum_of_exponentials(const Array& x, std::uint32_t row, std::uint32_t columns, float largest,
                                            unsigned threads, float* shared) {
  float sum = 0.0f;
  for_each_pack_of_row(row, columns, threads, [&](std::size_t i, int n) {
    const Pack pack = load(x, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k < n) sum += expf(pack.at[k] - largest);
    }
  });
  return joined_in_row(sum, 0.0f, threads, shared, Sum());
}

}  // namespace amphora::cuda
