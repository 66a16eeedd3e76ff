// reduce: sums and extrema along the middle of [outer, extent, inner].
#include "cuda/include/reduce.h"
#include "cuda/include/tail.cuh"

namespace amphora::cuda::kernels {
namespace {

// The line, or the part of one, that a thread works on.
struct Line {
  bool exists;
  std::uint32_t column;  // of the inner axis
  std::uint32_t outer;
  std::uint32_t row_lane;
  std::uint32_t part;
};

__device__ Line line_of(const LineCut& cut, std::uint32_t tile, std::uint32_t outer, std::uint32_t inner) {
  const std::uint32_t outers = kReduceThreads / (cut.columns * cut.row_lanes);
  const std::uint32_t blocks = (inner + cut.columns - 1) / cut.columns;
  const std::uint32_t group = threadIdx.x / cut.columns;
  Line line;
  line.column = tile % blocks * cut.columns + threadIdx.x % cut.columns;
  tile /= blocks;
  line.part = tile % cut.parts;
  line.outer = tile / cut.parts * outers + group / cut.row_lanes;
  line.row_lane = group % cut.row_lanes;
  line.exists = line.column < inner && line.outer < outer && group / cut.row_lanes < outers;
  return line;
}

// Joins the lanes of each line by halves; row lane 0 has the result.
template <class T, class Join>
__device__ void join_row_lanes(T* shared, const Line& line, const LineCut& cut, Join join) {
  __syncthreads();
  for (std::uint32_t reach = cut.row_lanes / 2; reach > 0; reach /= 2) {
    if (line.row_lane < reach) {
      shared[threadIdx.x] = join(shared[threadIdx.x], shared[threadIdx.x + reach * cut.columns]);
    }
    __syncthreads();
  }
}

struct Join {
  Reduction reduction;

  __device__ float neutral() const {
    const float infinity = float_of(0x7F800000u);
    return reduction == Reduction::sum ? 0.0f : reduction == Reduction::max ? -infinity : infinity;
  }
  // NaN wins.
  __device__ float operator()(float a, float b) const {
    if (reduction == Reduction::sum) return a + b;
    if (a != a || b != b) return float_of(0x7FC00000u);
    return (a < b) == (reduction == Reduction::max) ? b : a;
  }
  __device__ Pack operator()(Pack a, const Pack& b) const {
#pragma unroll
    for (int k = 0; k < kPack; ++k) a.at[k] = (*this)(a.at[k], b.at[k]);
    return a;
  }
  __device__ float of_pack(const Pack& a) const {
    float value = a.at[0];
#pragma unroll
    for (int k = 1; k < kPack; ++k) value = (*this)(value, a.at[k]);
    return value;
  }
};

__device__ void finish(const ReduceArguments& g, float value, std::size_t at) {
  double result = static_cast<double>(value) * g.params.scale;
  if (g.params.accumulate != 0) result += static_cast<double>(load(g.out, at));
  store(g.out, at, result);
}

// One number a thread.
__device__ void reduce_singles(const ReduceArguments& g, const Line& line, float* shared) {
  const Join join{g.reduction};
  float value = join.neutral();
  if (line.exists) {
    const std::uint32_t begin = line.part * g.cut.part_rows;
    const std::uint32_t end = min(g.extent, begin + g.cut.part_rows);
    const std::size_t line_begin = std::size_t{line.outer} * g.extent;
    for (std::uint32_t row = begin + line.row_lane; row < end; row += g.cut.row_lanes) {
      if (g.eights == Eights::rows) {
        value = join(value, join.of_pack(load(g.in, (line_begin + row) * kPack, kPack)));
      } else {
        value = join(value, load(g.in, (line_begin + row) * g.inner + line.column));
      }
    }
  }
  if (g.cut.row_lanes > 1) {
    shared[threadIdx.x] = value;
    join_row_lanes(shared, line, g.cut, join);
    value = shared[threadIdx.x];
    __syncthreads();
  }
  if (line.exists && line.row_lane == 0) {
    finish(g, value, (std::size_t{line.part} * g.params.outer + line.outer) * g.inner + line.column);
  }
}

// Eight columns a thread.
__device__ void reduce_packs(const ReduceArguments& g, const Line& line, Pack* shared) {
  const Join join{g.reduction};
  Pack values;
#pragma unroll
  for (int k = 0; k < kPack; ++k) values.at[k] = join.neutral();
  if (line.exists) {
    const std::uint32_t begin = line.part * g.cut.part_rows;
    const std::uint32_t end = min(g.extent, begin + g.cut.part_rows);
    const std::size_t line_begin = std::size_t{line.outer} * g.extent;
    for (std::uint32_t row = begin + line.row_lane; row < end; row += g.cut.row_lanes) {
      values = join(values, load(g.in, ((line_begin + row) * g.inner + line.column) * kPack, kPack));
    }
  }
  if (g.cut.row_lanes > 1) {
    shared[threadIdx.x] = values;
    join_row_lanes(shared, line, g.cut, join);
    values = shared[threadIdx.x];
    __syncthreads();
  }
  if (!line.exists || line.row_lane != 0) return;
  const std::size_t at = (std::size_t{line.part} * g.params.outer + line.outer) * g.inner + line.column;
#pragma unroll
  for (int k = 0; k < kPack; ++k) finish(g, values.at[k], at * kPack + k);
}

}  // namespace

__global__ void __launch_bounds__(kReduceThreads) reduce(ReduceArguments g) {
  __shared__ Pack shared[kReduceThreads];
  for (std::uint32_t tile = blockIdx.x; tile < g.tiles; tile += gridDim.x) {
    const Line line = line_of(g.cut, tile, g.params.outer, g.inner);
    if (g.eights == Eights::columns) {
      reduce_packs(g, line, shared);
    } else {
      reduce_singles(g, line, reinterpret_cast<float*>(shared));
    }
  }
}

// Of max and min: those that equal the result share its gradient.
__global__ void __launch_bounds__(kReduceThreads) reduce_grad(ReduceGradArguments g) {
  __shared__ std::uint32_t ties[kReduceThreads];
  const std::uint32_t extent = g.params.extent;
  const std::uint32_t inner = g.params.inner;
  for (std::uint32_t tile = blockIdx.x; tile < g.tiles; tile += gridDim.x) {
    const Line line = line_of(g.cut, tile, g.params.outer, inner);
    const std::size_t result = line.exists ? std::size_t{line.outer} * inner + line.column : 0;
    const std::size_t begin = line.exists ? std::size_t{line.outer} * extent * inner + line.column : 0;
    const std::uint32_t end = line.exists ? extent : 0;
    const float extremum = load(g.y, result);
    std::uint32_t count = 0;
    for (std::uint32_t row = line.row_lane; row < end; row += g.cut.row_lanes) {
      count += load(g.x, begin + std::size_t{row} * inner) == extremum ? 1u : 0u;
    }
    if (g.cut.row_lanes > 1) {
      ties[threadIdx.x] = count;
      join_row_lanes(ties, line, g.cut, [](std::uint32_t a, std::uint32_t b) { return a + b; });
      if (line.exists) count = ties[threadIdx.x - line.row_lane * g.cut.columns];
      __syncthreads();
    }
    const double scaled = static_cast<double>(g.params.scale) * static_cast<double>(load(g.dy, result));
    const float share = count == 0 ? 0.0f : rounded_for(g.dx.type, scaled / count);
    for (std::uint32_t row = line.row_lane; row < end; row += g.cut.row_lanes) {
      const std::size_t at = begin + std::size_t{row} * inner;
      store(g.dx, at, load(g.x, at) == extremum ? share : 0.0f);
    }
  }
}

}  // namespace amphora::cuda::kernels
