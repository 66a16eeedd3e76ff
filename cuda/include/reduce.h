// reduce: sums and extrema along the middle of [outer, extent, inner].
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/call.h"

namespace amphora::cuda {

// How blocks take the lines along the middle. Memory is read in its order: `columns` neighbouring threads take
// neighbours of the inner axis, `row_lanes` groups of them share a line, and the threads that are left take further
// places of the outer axis.
struct LineCut {
  std::uint32_t columns = 1;
  std::uint32_t row_lanes = 1;  // a power of two
  std::uint32_t parts = 1;      // of a line, each for another block
  std::uint32_t part_rows = 0;
};

// What eight neighbours in memory are: nothing that goes together, columns, or rows of one column.
enum class Eights : std::uint8_t { nothing, columns, rows };

namespace kernels {

inline constexpr unsigned kReduceThreads = 256;

// Sizes count packs where `eights` says so.
struct ReduceArguments {
  Array in;
  Array out;  // of parts, f32: [part, outer, inner]
  ReduceParams params;
  std::uint32_t extent;
  std::uint32_t inner;
  LineCut cut;
  Reduction reduction;
  Eights eights;
  std::uint32_t tiles;
};
__global__ void reduce(ReduceArguments arguments);

struct ReduceGradArguments {
  Array x;
  Array y;
  Array dy;
  Array dx;
  ReduceParams params;
  LineCut cut;  // of one part
  std::uint32_t tiles;
};
__global__ void reduce_grad(ReduceGradArguments arguments);

}  // namespace kernels
}  // namespace amphora::cuda
