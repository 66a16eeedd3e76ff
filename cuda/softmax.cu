// softmax: along rows, shifted by the row's maximum so that exp cannot overflow.
//
// A row that fits the registers of its lanes is read once; a longer one once for what it adds up to, and once more.
#include "cuda/include/rows.cuh"
#include "cuda/include/softmax.h"

namespace amphora::cuda::kernels {
namespace {

__device__ bool is_held(const RowTiling& tiling) { return tiling.pieces <= kHeld * tiling.lanes; }

__device__ float log_of(float sum) { return static_cast<float>(log(static_cast<double>(sum))); }

__device__ void softmax_held(const SoftmaxArguments& a, const Row& row, unsigned lane) {
  const unsigned lanes = a.tiling.lanes;
  Pack held[kHeld];
  float largest = -kInfinity;
#pragma unroll
  for (unsigned h = 0; h < kHeld; ++h) {
    if (h * lanes >= a.tiling.pieces) break;
    held[h] = load_exponents(a.x, row.piece(lane + h * lanes));
    largest = largest_of(held[h], largest);
  }
  largest = join_lanes(largest, lanes, Larger{});
  float sum = 0.0f;
#pragma unroll
  for (unsigned h = 0; h < kHeld; ++h) {
    if (h * lanes >= a.tiling.pieces) break;
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      const float shifted = held[h].at[k] - largest;
      const float power = expf(shifted);
      sum += power;
      held[h].at[k] = a.logarithm ? shifted : power;
    }
  }
  sum = join_lanes(sum, lanes, Plus{});
  const float last = a.logarithm ? log_of(sum) : 1.0f / sum;
#pragma unroll
  for (unsigned h = 0; h < kHeld; ++h) {
    if (h * lanes >= a.tiling.pieces) break;
#pragma unroll
    for (int k = 0; k < kPack; ++k) held[h].at[k] = a.logarithm ? held[h].at[k] - last : held[h].at[k] * last;
    const Piece piece = row.piece(lane + h * lanes);
    store(a.y, piece.begin, piece.count, held[h]);
  }
}

__device__ void softmax_long(const SoftmaxArguments& a, const Row& row, unsigned lane) {
  const RowStatistics statistics = statistics_of(a.x, row, lane, a.tiling.lanes);
  const float last = a.logarithm ? log_of(statistics.sum) : 1.0f / statistics.sum;
  const std::size_t pieces = row.pieces();
  for (std::size_t p = lane; p < pieces; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    Pack pack = load(a.x, piece.begin, piece.count);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      const float shifted = pack.at[k] - statistics.largest;
      pack.at[k] = a.logarithm ? shifted - last : expf(shifted) * last;
    }
    store(a.y, piece.begin, piece.count, pack);
  }
}

__device__ float term_of(float y, float dy, bool logarithm) { return logarithm ? dy : y * dy; }

__device__ Pack gradient_of(const Pack& y, const Pack& dy, float sum, bool logarithm) {
  Pack dx;
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    dx.at[k] = logarithm ? dy.at[k] - expf(y.at[k]) * sum : y.at[k] * (dy.at[k] - sum);
  }
  return dx;
}

__device__ void softmax_grad_held(const SoftmaxGradArguments& a, const Row& row, unsigned lane) {
  const unsigned lanes = a.tiling.lanes;
  Pack y[kHeld];
  Pack dy[kHeld];
  float sum = 0.0f;
#pragma unroll
  for (unsigned h = 0; h < kHeld; ++h) {
    if (h * lanes >= a.tiling.pieces) break;
    const Piece piece = row.piece(lane + h * lanes);
    y[h] = load(a.y, piece.begin, piece.count);  // zeros past its end
    dy[h] = load(a.dy, piece.begin, piece.count);
#pragma unroll
    for (int k = 0; k < kPack; ++k) sum += term_of(y[h].at[k], dy[h].at[k], a.logarithm);
  }
  sum = join_lanes(sum, lanes, Plus{});
#pragma unroll
  for (unsigned h = 0; h < kHeld; ++h) {
    if (h * lanes >= a.tiling.pieces) break;
    const Piece piece = row.piece(lane + h * lanes);
    store(a.dx, piece.begin, piece.count, gradient_of(y[h], dy[h], sum, a.logarithm));
  }
}

__device__ void softmax_grad_long(const SoftmaxGradArguments& a, const Row& row, unsigned lane) {
  const std::size_t pieces = row.pieces();
  float sum = 0.0f;
  for (std::size_t p = lane; p < pieces; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    const Pack y = load(a.y, piece.begin, piece.count);
    const Pack dy = load(a.dy, piece.begin, piece.count);
#pragma unroll
    for (int k = 0; k < kPack; ++k) sum += term_of(y.at[k], dy.at[k], a.logarithm);
  }
  sum = join_lanes(sum, a.tiling.lanes, Plus{});
  for (std::size_t p = lane; p < pieces; p += a.tiling.lanes) {
    const Piece piece = row.piece(p);
    const Pack y = load(a.y, piece.begin, piece.count);
    const Pack dy = load(a.dy, piece.begin, piece.count);
    store(a.dx, piece.begin, piece.count, gradient_of(y, dy, sum, a.logarithm));
  }
}

}  // namespace

__global__ void __launch_bounds__(kBlock) softmax(SoftmaxArguments a) {
  for_each_row(a.tiling, a.params.rows, a.params.columns, [&](std::size_t, const Row& row, unsigned lane) {
    if (is_held(a.tiling)) {
      softmax_held(a, row, lane);
    } else {
      softmax_long(a, row, lane);
    }
  });
}

__global__ void __launch_bounds__(kBlock) softmax_grad(SoftmaxGradArguments a) {
  for_each_row(a.tiling, a.params.rows, a.params.columns, [&](std::size_t, const Row& row, unsigned lane) {
    if (is_held(a.tiling)) {
      softmax_grad_held(a, row, lane);
    } else {
      softmax_grad_long(a, row, lane);
    }
  });
}

}  // namespace amphora::cuda::kernels
