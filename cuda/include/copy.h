// copy: memory without arithmetic.
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/shared/params.h"

namespace amphora::cuda::kernels {

struct FillArguments {
  Array out;
  FillParams params;
};

struct CastArguments {
  Array in;
  Array out;
  CountParams params;
};

// Axes are merged, and ordered by the strides of `out`, the fastest last.
struct CopyArguments {
  Array in;
  Array out;
  CopyParams params;
  std::uint32_t count;
};

struct AccumulateArguments {
  Array in;
  Array sum;
  CountParams params;
};

__global__ void fill(FillArguments arguments);
__global__ void cast(CastArguments arguments);
__global__ void accumulate(AccumulateArguments arguments);

// Three ways of one copy. By packs of the last axis, which is contiguous in `out`; by tiles, where the last axis is
// contiguous in `out` and the one before in `in`; and by elements, whatever the strides.
__global__ void copy_packs(CopyArguments arguments);
__global__ void copy_tile(CopyArguments arguments);
__global__ void copy_elements(CopyArguments arguments);

// Rows and columns of a tile.
inline constexpr unsigned kTile = 32;

}  // namespace amphora::cuda::kernels
