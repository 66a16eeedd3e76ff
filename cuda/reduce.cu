// reduce: sums and extrema along the middle of [outer, extent, inner].
//
// Sums are in f32 and in an order that the shape alone fixes; what follows them is in f64 and rounds once.
#include "cuda/include/lines.cuh"
#include "cuda/include/reduce.h"
#include "cuda/include/rounding.cuh"
#include "cuda/include/rows.cuh"

namespace amphora::cuda::kernels {
namespace {

struct Sum {
  static constexpr float kNeutral = 0.0f;
  __device__ float operator()(float a, float b) const { return a + b; }
};
// NaN wins.
struct Max {
  static constexpr float kNeutral = -kInfinity;
  __device__ float operator()(float a, float b) const { return a < b || b != b ? b : a; }
};
struct Min {
  static constexpr float kNeutral = kInfinity;
  __device__ float operator()(float a, float b) const { return b < a || b != b ? b : a; }
};

// Calls body(join) with what joins two values.
template <class Body>
__device__ void with_join(Reduction reduction, Body body) {
  switch (reduction) {
    case Reduction::max: return body(Max{});
    case Reduction::min: return body(Min{});
    default: return body(Sum{});
  }
}

// scale * value (+ what is there), rounded once.
__device__ void finish(const Array& out, std::size_t at, float value, const ReduceParams& params) {
  if (params.scale == 1.0f && params.accumulate == 0) return store(out, at, value);
  const double scaled = static_cast<double>(value) * params.scale;
  store_once(out, at, params.accumulate != 0 ? scaled + load(out, at) : scaled);
}

template <class Join>
__device__ float joined(const Pack& pack, Join join) {
  return join(join(join(pack.at[0], pack.at[1]), join(pack.at[2], pack.at[3])),
              join(join(pack.at[4], pack.at[5]), join(pack.at[6], pack.at[7])));
}

// The place among all rows of this thread's, with parts side by side in neighbouring blocks.
__device__ std::size_t row_index(const RowLineTiling& tiling) {
  return std::size_t{blockIdx.x / tiling.parts} * (kBlock / tiling.lanes) + threadIdx.x / tiling.lanes;
}

template <class Join>
__device__ void reduce_row(const ReduceRowsArguments& a, Join join) {
  const std::size_t index = row_index(a.tiling);
  const std::size_t part = blockIdx.x % a.tiling.parts;
  const unsigned lane = threadIdx.x % a.tiling.lanes;
  const Row row = row_of(index, a.params.outer, a.params.extent);
  const std::size_t pieces = row.pieces();
  const std::size_t last = (part + 1) * a.tiling.part_pieces;
  const std::size_t end = last < pieces ? last : pieces;
  Pack values;
#pragma unroll
  for (int k = 0; k < kPack; ++k) values.at[k] = Join::kNeutral;
  for (std::size_t p = part * a.tiling.part_pieces + lane; p < end; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    const Pack x = load(a.in, piece.begin, piece.count);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k < piece.count) values.at[k] = join(values.at[k], x.at[k]);
    }
  }
  const float value = join_lanes(joined(values, join), a.tiling.lanes, join);
  if (lane == 0 && index < a.params.outer) finish(a.out, part * a.params.outer + index, value, a.params);
}

template <int kWidth, class Join>
__device__ void reduce_lines(const ReduceColumnsArguments& a, Join join) {
  const Lines<kWidth> lines = lines_of<kWidth>(a.tiling, a.params);
  const std::size_t first = lines.outer * a.params.extent * a.params.inner + lines.column;
  float values[kWidth];
#pragma unroll
  for (int k = 0; k < kWidth; ++k) values[k] = Join::kNeutral;
#pragma unroll 4
  for (std::size_t row = lines.row; row < lines.end; row += a.tiling.row_lanes) {
    const Pack x = load_columns<kWidth>(a.in, first + row * a.params.inner);
#pragma unroll
    for (int k = 0; k < kWidth; ++k) values[k] = join(values[k], x.at[k]);
  }
  join_row_lanes<kWidth>(values, a.tiling, lines.row_lane, join);
  if (lines.row_lane != 0 || !lines.exist(a.params)) return;
  const std::size_t result = (lines.part * std::size_t{a.params.outer} + lines.outer) * a.params.inner + lines.column;
#pragma unroll
  for (int k = 0; k < kWidth; ++k) finish(a.out, result + k, values[k], a.params);
}

// What each extremum of a line gets, as stored.
__device__ std::uint32_t share_of(const Array& dx, float scale, float dy, std::uint32_t ties) {
  return ties == 0 ? 0 : narrow_once(dx.type, static_cast<double>(scale) * dy / ties);
}

}  // namespace

__global__ void __launch_bounds__(kBlock) reduce_rows(ReduceRowsArguments a) {
  with_join(a.reduction, [&](auto join) { reduce_row(a, join); });
}

__global__ void __launch_bounds__(kBlock) reduce_columns(ReduceColumnsArguments a) {
  with_join(a.reduction, [&](auto join) { reduce_lines<1>(a, join); });
}

__global__ void __launch_bounds__(kBlock) reduce_packs_of_columns(ReduceColumnsArguments a) {
  with_join(a.reduction, [&](auto join) { reduce_lines<kPack>(a, join); });
}

__global__ void __launch_bounds__(kBlock) reduce_grad_rows(ReduceGradRowsArguments a) {
  const std::size_t index = row_index(a.tiling);
  const unsigned lane = threadIdx.x % a.tiling.lanes;
  const Row row = row_of(index, a.params.outer, a.params.extent);
  const std::size_t pieces = row.pieces();
  const float extremum = pieces > 0 ? load(a.y, index) : 0.0f;
  std::uint32_t ties = 0;
  for (std::size_t p = lane; p < pieces; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    const Pack x = load(a.x, piece.begin, piece.count);
#pragma unroll
    for (int k = 0; k < kPack; ++k) ties += k < piece.count && x.at[k] == extremum ? 1 : 0;
  }
  ties = join_lanes(ties, a.tiling.lanes, Plus{});
  if (pieces == 0) return;
  const std::uint32_t share = share_of(a.dx, a.params.scale, load(a.dy, index), ties);
  for (std::size_t p = lane; p < pieces; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    const Pack x = load(a.x, piece.begin, piece.count);
    StoredPack dx;
#pragma unroll
    for (int k = 0; k < kPack; ++k) dx.at[k] = x.at[k] == extremum ? share : 0;
    store_stored(a.dx, piece.begin, piece.count, dx);
  }
}

__global__ void __launch_bounds__(kBlock) reduce_grad_columns(ReduceGradColumnsArguments a) {
  const Lines<1> lines = lines_of<1>(a.tiling, a.params);
  const bool exists = lines.exist(a.params);
  const std::size_t result = lines.outer * a.params.inner + lines.column;
  const std::size_t first = lines.outer * a.params.extent * a.params.inner + lines.column;
  const float extremum = exists ? load(a.y, result) : 0.0f;
  std::uint32_t ties[1] = {0};
  for (std::size_t row = lines.row; row < lines.end; row += a.tiling.row_lanes) {
    ties[0] += load(a.x, first + row * a.params.inner) == extremum ? 1 : 0;
  }
  join_row_lanes<1>(ties, a.tiling, lines.row_lane, Plus{});
  __shared__ std::uint32_t shares[kBlock];  // row lane 0 knows the ties
  if (exists && lines.row_lane == 0) {
    shares[threadIdx.x] = share_of(a.dx, a.params.scale, load(a.dy, result), ties[0]);
  }
  __syncthreads();
  const std::uint32_t share = shares[threadIdx.x - lines.row_lane * a.tiling.columns];
  for (std::size_t row = lines.row; row < lines.end; row += a.tiling.row_lanes) {
    const std::size_t at = first + row * a.params.inner;
    store_stored(a.dx, at, load(a.x, at) == extremum ? share : 0);
  }
}

}  // namespace amphora::cuda::kernels
