// reduce: sums and extrema along the middle of [outer, extent, inner].
#include "cuda/include/reduce.h"

#include <algorithm>

#include "backends/cuda/launchers/launchers.h"
#include "cuda/include/rows.h"

namespace amphora::cuda::launchers {
namespace {

// Long lines are cut where there are fewer blocks than this; by shape alone, so that every device gives the same bits.
constexpr std::uint64_t kWantedBlocks = 1024;

std::uint64_t quotient_up(std::uint64_t size, std::uint64_t block) { return (size + block - 1) / block; }

// Each part at least this long: fewer pieces or rows a lane, and joining them costs more than it saves.
struct Parts {
  Parts(std::uint64_t blocks, std::uint32_t length, std::uint32_t least) {
    const std::uint64_t wanted = std::min<std::uint64_t>(kWantedBlocks / blocks, length / least);
    if (wanted < 2) return;
    size = static_cast<std::uint32_t>(quotient_up(length, wanted));
    count = static_cast<std::uint32_t>(quotient_up(length, size));
  }
  std::uint32_t count = 1;
  std::uint32_t size = UINT32_MAX;
};

// Blocks of a pass over a tiling's lines, each part on its own.
std::uint64_t blocks_of(const RowLineTiling& tiling, const ReduceParams& params) {
  return quotient_up(params.outer, kThreads / tiling.lanes) * tiling.parts;
}

std::uint64_t blocks_of(const ColumnLineTiling& tiling, const ReduceParams& params) {
  return quotient_up(params.outer, kThreads / (tiling.columns * tiling.row_lanes)) * tiling.column_blocks *
         tiling.parts;
}

RowLineTiling row_line_tiling(const ReduceParams& params) {
  const RowTiling rows = row_tiling_of(params.extent);
  return {rows.lanes, 1, UINT32_MAX};
}

RowLineTiling split(RowLineTiling tiling, const ReduceParams& params) {
  if (tiling.lanes < kThreads) return tiling;
  const Parts parts(blocks_of(tiling, params), row_tiling_of(params.extent).pieces, 4 * tiling.lanes);
  return {tiling.lanes, parts.count, parts.size};
}

// `width` neighbouring columns a lane.
ColumnLineTiling column_line_tiling(const ReduceParams& params, std::uint32_t width) {
  constexpr std::uint32_t kMinRows = 4;
  const std::uint32_t lanes = params.inner / width;
  ColumnLineTiling tiling{1, 1, 1, 1, UINT32_MAX};
  while (tiling.columns < 32 && tiling.columns < lanes) tiling.columns *= 2;
  while (2 * tiling.row_lanes * tiling.columns <= kThreads && 2 * tiling.row_lanes * kMinRows <= params.extent) {
    tiling.row_lanes *= 2;
  }
  while (2 * tiling.row_lanes * tiling.columns <= kThreads && tiling.columns < lanes) tiling.columns *= 2;
  tiling.column_blocks = static_cast<std::uint32_t>(quotient_up(lanes, tiling.columns));
  return tiling;
}

ColumnLineTiling split(ColumnLineTiling tiling, const ReduceParams& params) {
  const Parts parts(blocks_of(tiling, params), params.extent, 16 * tiling.row_lanes);
  tiling.parts = parts.count;
  tiling.part_rows = parts.size;
  return tiling;
}

// Whole packs of columns where no line begins inside one.
std::uint32_t width_of(const ReduceParams& params) { return params.inner % 8 == 0 ? 8 : 1; }

template <class Tiling>
dim3 grid_of(const Tiling& tiling, const ReduceParams& params) {
  return {static_cast<unsigned>(blocks_of(tiling, params))};
}

struct Pass {
  Array in;
  Array out;
  ReduceParams params;
  Reduction reduction;
};

void run(const Pass& pass, const RowLineTiling& tiling, Stream& stream) {
  const kernels::ReduceRowsArguments arguments{pass.in, pass.out, pass.params, pass.reduction, tiling};
  stream.launch("reduce_rows", kernels::reduce_rows, grid_of(tiling, pass.params), arguments);
}

void run(const Pass& pass, const ColumnLineTiling& tiling, Stream& stream) {
  const kernels::ReduceColumnsArguments arguments{pass.in, pass.out, pass.params, pass.reduction, tiling};
  if (width_of(pass.params) == 1) {
    stream.launch("reduce_columns", kernels::reduce_columns, grid_of(tiling, pass.params), arguments);
  } else {
    stream.launch("reduce_packs_of_columns", kernels::reduce_packs_of_columns, grid_of(tiling, pass.params), arguments);
  }
}

void run_whole(const Pass& pass, Stream& stream) {
  if (pass.params.inner == 1) return run(pass, row_line_tiling(pass.params), stream);
  run(pass, column_line_tiling(pass.params, width_of(pass.params)), stream);
}

// Each part gives an f32 as it is; a second pass joins the parts in order, and finishes.
template <class Tiling>
void run_parts(Pass pass, const Tiling& tiling, Stream& stream) {
  if (tiling.parts == 1) return run(pass, tiling, stream);
  const std::uint32_t results = pass.params.outer * pass.params.inner;
  const Array parts{stream.scratch(sizeof(float) * tiling.parts * results), DType::f32, true};
  const Pass last{
      parts, pass.out, {1, tiling.parts, results, pass.params.scale, pass.params.accumulate}, pass.reduction};
  pass.out = parts;
  pass.params.scale = 1.0f;
  pass.params.accumulate = 0;
  run(pass, tiling, stream);
  run_whole(last, stream);
}

}  // namespace

void reduce(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ReduceParams>();
  if (params.outer == 0 || params.inner == 0) return;
  const Pass pass{array_of(call, op::reduce::in), array_of(call, op::reduce::out), params,
                  static_cast<Reduction>(call.spec.function)};
  if (params.inner == 1) return run_parts(pass, split(row_line_tiling(params), params), stream);
  run_parts(pass, split(column_line_tiling(params, width_of(params)), params), stream);
}

void reduce_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ReduceParams>();
  if (params.outer == 0 || params.extent == 0 || params.inner == 0) return;
  const Array x = array_of(call, op::reduce_grad::x), y = array_of(call, op::reduce_grad::y),
              dy = array_of(call, op::reduce_grad::dy), dx = array_of(call, op::reduce_grad::dx);
  if (params.inner == 1) {
    const RowLineTiling tiling = row_line_tiling(params);
    const kernels::ReduceGradRowsArguments arguments{x, y, dy, dx, params, tiling};
    stream.launch("reduce_grad_rows", kernels::reduce_grad_rows, grid_of(tiling, params), arguments);
  } else {
    const ColumnLineTiling tiling = column_line_tiling(params, 1);
    const kernels::ReduceGradColumnsArguments arguments{x, y, dy, dx, params, tiling};
    stream.launch("reduce_grad_columns", kernels::reduce_grad_columns, grid_of(tiling, params), arguments);
  }
}

}  // namespace amphora::cuda::launchers
