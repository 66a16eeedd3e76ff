// Kernels of reduce, and how blocks take the lines of [outer, extent, inner] along the middle.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "cuda/include/array.h"

namespace amphora::cuda {

// Lines of neighbours in memory (inner is 1) are rows. `lanes` neighbouring lanes share one, see join_lanes; a part is
// `part_pieces` packs of it.
struct RowLineTiling {
  std::uint32_t lanes;
  std::uint32_t parts;
  std::uint32_t part_pieces;
};

// Else neighbouring lanes take neighbouring columns, one or a whole pack each; `row_lanes` groups of them share the
// lines, and what threads are left take further places of the outer axis.
struct ColumnLineTiling {
  std::uint32_t columns;  // lanes side by side
  std::uint32_t row_lanes;
  std::uint32_t column_blocks;
  std::uint32_t parts;  // of a line, each for another block
  std::uint32_t part_rows;
};

}  // namespace amphora::cuda

namespace amphora::cuda::kernels {

// Part k of a line goes to [k, outer, inner] of `out`.
struct ReduceRowsArguments {
  Array in;
  Array out;
  ReduceParams params;
  Reduction reduction;
  RowLineTiling tiling;
};
__global__ void reduce_rows(ReduceRowsArguments arguments);

struct ReduceColumnsArguments {
  Array in;
  Array out;
  ReduceParams params;
  Reduction reduction;
  ColumnLineTiling tiling;
};
__global__ void reduce_columns(ReduceColumnsArguments arguments);
__global__ void reduce_packs_of_columns(ReduceColumnsArguments arguments);

// Of whole lines: cuts of one part.
struct ReduceGradRowsArguments {
  Array x;
  Array y;
  Array dy;
  Array dx;
  ReduceParams params;
  RowLineTiling tiling;
};
__global__ void reduce_grad_rows(ReduceGradRowsArguments arguments);

struct ReduceGradColumnsArguments {
  Array x;
  Array y;
  Array dy;
  Array dx;
  ReduceParams params;
  ColumnLineTiling tiling;
};
__global__ void reduce_grad_columns(ReduceGradColumnsArguments arguments);

}  // namespace amphora::cuda::kernels
