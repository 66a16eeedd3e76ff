// matmul: what cuBLASLt does not do - products of other types, epilogues, and sums of columns.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "cuda/include/array.h"

namespace amphora::cuda {

// What happens to an f32 sum on its way to c.
struct Epilogue {
  Array c;
  Array bias;
  Array aux;
  float alpha;
  float beta;
  Activation activation;
  bool derivative;
};

namespace kernels {

struct MatmulArguments {
  Array a;
  Array b;
  Epilogue epilogue;
  MatmulParams params;
  bool transpose_a;
  bool transpose_b;
};
// A block computes a tile of kMatmulTile x kMatmulTile; blocks.x are tiles, blocks.y batches.
inline constexpr int kMatmulTile = 64;
__global__ void matmul_fma(MatmulArguments arguments);

// Over the dense f32 sums of a bare product.
struct MatmulEpilogueArguments {
  const float* sums;
  Epilogue epilogue;
  MatmulParams params;
};
__global__ void matmul_epilogue(MatmulEpilogueArguments arguments);

// out[part, column] = the sum of rows [part * part_rows, (part + 1) * part_rows) of a matrix, plus `old` where it is
// not null.
struct ColumnSumsArguments {
  Array in;
  std::int64_t leading;  // elements from row to row
  std::int64_t batch_stride;
  std::uint32_t batch_rows;  // rows of one batch
  std::uint32_t rows;        // of all batches
  std::uint32_t columns;
  std::uint32_t part_rows;
  const float* old;
  float* out;
};
// A block takes kSumColumns columns; blocks.x are groups of columns, blocks.y parts.
inline constexpr unsigned kSumColumns = 32;
__global__ void column_sums(ColumnSumsArguments arguments);

}  // namespace kernels
}  // namespace amphora::cuda
