// matmul: what cuBLASLt does not do - products of other types, epilogues, and sums of columns.
#include "cuda/include/io.cuh"
#include "cuda/include/matmul.h"
#include "cuda/include/pointwise.cuh"

namespace amphora::cuda {
namespace {

// Finishes the sum of element `at` of c, before it is rounded.
__device__ float finished(const Epilogue& e, std::size_t at, int column, float sum) {
  float value = e.alpha * sum;
  if (e.beta != 0.0f) value += e.beta * load(e.c, at);
  if (e.bias.data != nullptr) value += load(e.bias, column);
  if (e.aux.data != nullptr && !e.derivative) store(e.aux, at, value);
  if (e.activation == Activation::none) return value;
  const UnaryFunction function = function_of_activation(e.activation);
  if (e.derivative) {
    const float x = load(e.aux, at);
    with_slope_of(function, 0.0f, 0.0f, [&](auto f) { value *= f(x, x); });
  } else {
    with_value_of(function, 0.0f, 0.0f, [&](auto f) { value = f(value); });
  }
  return value;
}

}  // namespace

namespace kernels {

// A thread computes 4 x 4 elements, from blocks of a and b that became f32 on their way into shared memory, where each
// step of k is a row. Neighbouring threads read neighbours in memory, whichever way an operand lies.
__global__ void __launch_bounds__(256, 2) matmul_fma(MatmulArguments g) {
  constexpr int kTile = kMatmulTile;
  constexpr int kDepth = 16;
  constexpr int kSide = 4;
  // A row longer by four floats puts the columns that a store walks along into other banks.
  __shared__ float a_block[kDepth][kTile + 4];
  __shared__ float b_block[kDepth][kTile + 4];

  const MatmulParams& p = g.params;
  const int tiles_n = (p.n + kTile - 1) / kTile;
  const int first_row = static_cast<int>(blockIdx.x) / tiles_n * kTile;
  const int first_column = static_cast<int>(blockIdx.x) % tiles_n * kTile;
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / (kTile / kSide) * kSide;
  const int column = thread % (kTile / kSide) * kSide;

  for (int batch = static_cast<int>(blockIdx.y); batch < p.batch; batch += static_cast<int>(gridDim.y)) {
    const std::int64_t a_begin = std::int64_t{batch} * p.a_batch_stride;
    const std::int64_t b_begin = std::int64_t{batch} * p.b_batch_stride;
    float sums[kSide][kSide] = {};
    for (int first = 0; first < p.k; first += kDepth) {
#pragma unroll
      for (int at = thread; at < kTile * kDepth; at += 256) {
        const int step = g.transpose_a ? at / kTile : at % kDepth;
        const int line = g.transpose_a ? at % kTile : at / kDepth;
        const std::int64_t i = first_row + line;
        const std::int64_t k = first + step;
        const bool inside = i < p.m && k < p.k;
        a_block[step][line] = inside ? load(g.a, a_begin + (g.transpose_a ? k * p.lda + i : i * p.lda + k)) : 0.0f;
      }
#pragma unroll
      for (int at = thread; at < kTile * kDepth; at += 256) {
        const int step = g.transpose_b ? at % kDepth : at / kTile;
        const int line = g.transpose_b ? at / kDepth : at % kTile;
        const std::int64_t j = first_column + line;
        const std::int64_t k = first + step;
        const bool inside = j < p.n && k < p.k;
        b_block[step][line] = inside ? load(g.b, b_begin + (g.transpose_b ? j * p.ldb + k : k * p.ldb + j)) : 0.0f;
      }
      __syncthreads();
#pragma unroll
      for (int step = 0; step < kDepth; ++step) {
#pragma unroll
        for (int i = 0; i < kSide; ++i) {
#pragma unroll
          for (int j = 0; j < kSide; ++j) {
            sums[i][j] = fmaf(a_block[step][row + i], b_block[step][column + j], sums[i][j]);
          }
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < kSide; ++i) {
#pragma unroll
      for (int j = 0; j < kSide; ++j) {
        const int r = first_row + row + i;
        const int c = first_column + column + j;
        if (r >= p.m || c >= p.n) continue;
        const std::size_t at = std::int64_t{batch} * p.c_batch_stride + std::int64_t{r} * p.ldc + c;
        store(g.epilogue.c, at, finished(g.epilogue, at, c, sums[i][j]));
      }
    }
  }
}

// A thread takes eight neighbours of a row.
__global__ void matmul_epilogue(MatmulEpilogueArguments g) {
  const MatmulParams& p = g.params;
  const Epilogue& e = g.epilogue;
  const std::uint32_t packs = (p.n + kPack - 1) / kPack;
  const std::size_t count = std::size_t{packs} * p.m * p.batch;
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  const Array sums{const_cast<float*>(g.sums), DType::f32, p.n % kPack == 0};
  for (std::size_t at = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; at < count; at += stride) {
    const std::size_t line = at / packs;
    const int column = static_cast<int>(at % packs) * kPack;
    const int n = p.n - column < kPack ? p.n - column : kPack;
    const std::size_t batch = line / p.m;
    const std::size_t begin = batch * p.c_batch_stride + (line - batch * p.m) * p.ldc + column;
    Pack values = load(sums, line * p.n + column, n);
    const Pack old = e.beta != 0.0f ? load(e.c, begin, n) : Pack{};
    const Pack bias = e.bias.data != nullptr ? load(e.bias, column, n) : Pack{};
    const Pack aux = e.derivative ? load(e.aux, begin, n) : Pack{};
#pragma unroll
    for (int i = 0; i < kPack; ++i) {
      if (e.beta != 0.0f) values.at[i] += e.beta * old.at[i];
      if (e.bias.data != nullptr) values.at[i] += bias.at[i];
    }
    if (e.aux.data != nullptr && !e.derivative) store(e.aux, begin, n, values);
    if (e.activation != Activation::none) {
      const UnaryFunction function = function_of_activation(e.activation);
      if (e.derivative) {
        with_slope_of(function, 0.0f, 0.0f, [&](auto f) {
#pragma unroll
          for (int i = 0; i < kPack; ++i) values.at[i] *= f(aux.at[i], aux.at[i]);
        });
      } else {
        with_value_of(function, 0.0f, 0.0f, [&](auto f) {
#pragma unroll
          for (int i = 0; i < kPack; ++i) values.at[i] = f(values.at[i]);
        });
      }
    }
    store(e.c, begin, n, values);
  }
}

// Eight lanes share a column; their sums are joined in order.
__global__ void __launch_bounds__(256) column_sums(ColumnSumsArguments g) {
  constexpr unsigned kLanes = 256 / kSumColumns;
  __shared__ float sums[kLanes][kSumColumns];
  const unsigned lane = threadIdx.x / kSumColumns;
  const unsigned at = threadIdx.x % kSumColumns;
  const std::uint32_t column = blockIdx.x * kSumColumns + at;
  const std::uint32_t begin = blockIdx.y * g.part_rows;
  const std::uint32_t end = g.rows - begin < g.part_rows ? g.rows : begin + g.part_rows;
  float sum = 0.0f;
  if (column < g.columns) {
    for (std::uint32_t row = begin + lane; row < end; row += kLanes) {
      const std::uint32_t batch = row / g.batch_rows;
      sum += load(g.in, batch * g.batch_stride + (row - batch * g.batch_rows) * g.leading + column);
    }
  }
  sums[lane][at] = sum;
  __syncthreads();
  if (lane != 0 || column >= g.columns) return;
#pragma unroll
  for (unsigned other = 1; other < kLanes; ++other) sum += sums[other][at];
  const std::size_t target = std::size_t{blockIdx.y} * g.columns + column;
  g.out[target] = g.old != nullptr ? g.old[target] + sum : sum;
}

}  // namespace kernels
}  // namespace amphora::cuda
