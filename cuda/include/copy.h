// copy: memory without arithmetic but rounding.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "cuda/include/strided.h"

namespace amphora::cuda::kernels {

struct FillArguments {
  Array out;
  FillParams params;
};
__global__ void fill(FillArguments arguments);

struct CastArguments {
  Array in;
  Array out;
  CountParams params;
};
__global__ void cast(CastArguments arguments);

struct CopyArguments {
  Space space;
  Strided in;
  Strided out;
};
__global__ void copy_packs(CopyArguments arguments);
__global__ void copy_elements(CopyArguments arguments);

// A batch of matrices whose rows lie apart in `out` and whose columns lie apart in `in`: a block copies a tile of
// kCopyTile x kCopyTile, so that both sides are read and written along their neighbours.
struct TransposeArguments {
  Space batch;  // the other axes, which `in` and `out` are strided over
  Strided in;
  Strided out;
  std::uint32_t rows;     // of `out`
  std::uint32_t columns;  // neighbours in `out`; in `in` they are column_step apart
  std::uint32_t row_step;
  std::uint32_t column_step;
};
inline constexpr unsigned kCopyTile = 32;
__global__ void copy_tile(TransposeArguments arguments);

struct AccumulateArguments {
  Array in;
  Array sum;
  CountParams params;
};
__global__ void accumulate(AccumulateArguments arguments);

}  // namespace amphora::cuda::kernels
