// copy: memory without arithmetic but rounding.
#include "cuda/include/copy.h"
#include "cuda/include/strided.cuh"

namespace amphora::cuda::kernels {
namespace {

// As the function of one element, with one switch over the types for all.
__device__ StoredPack converted(DType from, DType to, const StoredPack& stored) {
  if (from == to) return stored;
  if (from != DType::i32) return narrow(to, widen(from, stored));
  StoredPack result;
#pragma unroll
  for (int k = 0; k < kPack; ++k) result.at[k] = cuda::converted(from, to, stored.at[k]);
  return result;
}

// Saturates.
__device__ std::uint32_t sum_of_integers(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  const bool overflow = ((a ^ sum) & (b ^ sum)) >> 31 != 0;
  return overflow ? 0x7FFFFFFFu + (b >> 31) : sum;
}

}  // namespace

__global__ void fill(FillArguments g) {
  const std::uint32_t bits = bits_of(g.params.value);
  const std::uint32_t stored = narrow(g.out.type, float_of(is_nan_bits(bits) ? bits | 0x400000u : bits));
  StoredPack pack;
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = stored;
  for_each_pack(g.params.count, [&](std::size_t i, int n) { store_stored(g.out, i, n, pack); });
}

__global__ void cast(CastArguments g) {
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    store_stored(g.out, i, n, converted(g.in.type, g.out.type, load_stored(g.in, i, n)));
  });
}

__global__ void copy_packs(CopyArguments g) {
  for_each_pack(g.space, [&](std::size_t, int n, const Index& index) {
    const StoredPack stored = load_stored(g.in, index, n);
    store_stored(g.out.array, offset_of(index, g.out), n, converted(g.in.array.type, g.out.array.type, stored));
  });
}

__global__ void copy_elements(CopyArguments g) {
  for_each_element(g.space, [&](std::size_t, const Index& index) {
    const std::uint32_t stored = load_stored(g.in, index);
    store_stored(g.out.array, offset_of(index, g.out), cuda::converted(g.in.array.type, g.out.array.type, stored));
  });
}

// 32 x 8 threads, each with four elements of the tile.
__global__ void __launch_bounds__(256) copy_tile(TransposeArguments g) {
  constexpr unsigned kRows = 256 / kCopyTile;
  // A row longer by one puts the elements of a column into different banks.
  __shared__ std::uint32_t tile[kCopyTile][kCopyTile + 1];
  const unsigned x = threadIdx.x % kCopyTile;
  const unsigned y = threadIdx.x / kCopyTile;
  const std::uint32_t tiles_x = (g.columns + kCopyTile - 1) / kCopyTile;
  const std::uint32_t column = blockIdx.x % tiles_x * kCopyTile;
  const std::uint32_t row = blockIdx.x / tiles_x * kCopyTile;
  for (std::uint32_t batch = blockIdx.y; batch < g.batch.count; batch += gridDim.y) {
    const Index index = index_of(g.batch, batch);
    const std::int64_t in = offset_of(index, g.in);
    const std::int64_t out = offset_of(index, g.out);
#pragma unroll
    for (unsigned k = 0; k < kCopyTile; k += kRows) {
      const std::uint32_t r = row + x;
      const std::uint32_t c = column + y + k;
      if (r < g.rows && c < g.columns) {
        tile[x][y + k] = load_stored(g.in.array, in + r + std::int64_t{c} * g.column_step);
      }
    }
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kCopyTile; k += kRows) {
      const std::uint32_t r = row + y + k;
      const std::uint32_t c = column + x;
      if (r < g.rows && c < g.columns) {
        store_stored(g.out.array, out + std::int64_t{r} * g.row_step + c,
                     cuda::converted(g.in.array.type, g.out.array.type, tile[y + k][x]));
      }
    }
    __syncthreads();
  }
}

// Of two i32 by integers; else in f32.
__global__ void accumulate(AccumulateArguments g) {
  const bool integers = g.in.type == DType::i32 && g.sum.type == DType::i32;
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    const StoredPack added = load_stored(g.in, i, n);
    StoredPack sums = load_stored(g.sum, i, n);
    if (integers) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) sums.at[k] = sum_of_integers(added.at[k], sums.at[k]);
    } else {
      const Pack x = widen(g.in.type, added);
      Pack y = widen(g.sum.type, sums);
#pragma unroll
      for (int k = 0; k < kPack; ++k) y.at[k] += x.at[k];
      sums = narrow(g.sum.type, y);
    }
    store_stored(g.sum, i, n, sums);
  });
}

}  // namespace amphora::cuda::kernels
