// copy: memory without arithmetic but rounding.
#include "cuda/include/copy.h"
#include "cuda/include/strided.cuh"

namespace amphora::cuda::kernels {
namespace {

// From storage as one type to storage as another, in one rounding; one type keeps the bits.
__device__ std::uint32_t converted(DType from, DType to, std::uint32_t stored) {
  if (from == to) return stored;
  if (from == DType::i32 && is_16bit(to)) {
    // Through f32 it would be rounded twice. Rounding to odd first makes the second rounding the only one.
    const auto value = static_cast<std::int32_t>(stored);
    const float toward_zero = __int2float_rz(value);
    const bool inexact = static_cast<std::int64_t>(toward_zero) != value;
    return narrow(to, float_of(bits_of(toward_zero) | (inexact ? 1u : 0u)));
  }
  return narrow(to, widen(from, stored));
}

__device__ StoredPack converted(DType from, DType to, StoredPack pack) {
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = converted(from, to, pack.at[k]);
  return pack;
}

// Of two i32 by integers, saturated; else in f32.
__device__ std::uint32_t sum_of(DType added_type, std::uint32_t added, DType type, std::uint32_t old) {
  if (added_type == DType::i32 && type == DType::i32) {
    const std::uint32_t sum = added + old;
    const bool overflow = ((added ^ sum) & (old ^ sum)) >> 31 != 0;
    return overflow ? 0x7FFFFFFFu + (old >> 31) : sum;
  }
  return narrow(type, widen(type, old) + widen(added_type, added));
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
  for_each_pack(g.space, [&](const Place& place) {
    const StoredPack stored = load_stored(g.space, g.in, place);
    store_stored(g.space, g.out, place, converted(g.in.array.type, g.out.array.type, stored));
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
  for (std::uint32_t batch = blockIdx.y; batch < g.batch.packs; batch += gridDim.y) {
    std::int64_t in = 0;
    std::int64_t out = 0;
    std::uint32_t rest = batch;
#pragma unroll
    for (int axis = kMostAxes - 1; axis >= 0; --axis) {
      if (axis >= g.batch.rank) continue;
      const auto size = static_cast<std::uint32_t>(g.batch.sizes[axis]);
      const std::uint32_t next = rest / size;
      in += std::int64_t{rest - next * size} * g.in_strides[axis];
      out += std::int64_t{rest - next * size} * g.out_strides[axis];
      rest = next;
    }
#pragma unroll
    for (unsigned k = 0; k < kCopyTile; k += kRows) {
      const std::uint32_t r = row + x;
      const std::uint32_t c = column + y + k;
      if (r < g.rows && c < g.columns) {
        tile[x][y + k] = load_stored(g.in, in + r + std::int64_t{c} * g.column_step);
      }
    }
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kCopyTile; k += kRows) {
      const std::uint32_t r = row + y + k;
      const std::uint32_t c = column + x;
      if (r < g.rows && c < g.columns) {
        store_stored(g.out, out + std::int64_t{r} * g.row_step + c, converted(g.in.type, g.out.type, tile[y + k][x]));
      }
    }
    __syncthreads();
  }
}

__global__ void accumulate(AccumulateArguments g) {
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    const StoredPack added = load_stored(g.in, i, n);
    StoredPack sums = load_stored(g.sum, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) sums.at[k] = sum_of(g.in.type, added.at[k], g.sum.type, sums.at[k]);
    store_stored(g.sum, i, n, sums);
  });
}

}  // namespace amphora::cuda::kernels
