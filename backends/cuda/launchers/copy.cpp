// copy: memory without arithmetic but rounding.
#include "cuda/include/copy.h"

#include <algorithm>

#include "backends/cuda/launchers/launchers.h"
#include "backends/cuda/launchers/strided.h"

namespace amphora::cuda::launchers {
namespace {

// A copy may walk its axes in any order: the last becomes the one along which `out` has neighbours.
void sort_axes(CopyParams& p) {
  const CopyParams old = p;
  std::int32_t order[5] = {0, 1, 2, 3, 4};
  std::stable_sort(order, order + p.rank, [&](auto a, auto b) { return old.out_strides[a] > old.out_strides[b]; });
  for (std::int32_t axis = 0; axis < p.rank; ++axis) {
    p.sizes[axis] = old.sizes[order[axis]];
    p.in_strides[axis] = old.in_strides[order[axis]];
    p.out_strides[axis] = old.out_strides[order[axis]];
  }
}

// The axis along which `in` has neighbours, if it is another one than the last, and both are long enough for tiles to
// pay; else -1.
std::int32_t transposed_axis(const CopyParams& p) {
  constexpr std::int32_t kLeast = 16;
  const std::int32_t last = p.rank - 1;
  if (p.out_strides[last] != 1 || p.in_strides[last] == 1 || p.sizes[last] < kLeast) return -1;
  for (std::int32_t axis = 0; axis < last; ++axis) {
    if (p.in_strides[axis] == 1 && p.sizes[axis] >= kLeast) return axis;
  }
  return -1;
}

// Takes the axis `rows` and the last from the others, which are the batch.
void copy_tiles(const KernelCall& call, CopyParams p, std::int32_t rows, Stream& stream) {
  const std::int32_t columns = p.rank - 1;
  kernels::TransposeArguments g{};
  g.rows = static_cast<std::uint32_t>(p.sizes[rows]);
  g.columns = static_cast<std::uint32_t>(p.sizes[columns]);
  g.row_step = p.out_strides[rows];
  g.column_step = p.in_strides[columns];
  for (const std::int32_t axis : {rows, columns}) p.sizes[axis] = 1;
  const std::uint32_t batch = merge_axes(p.rank, p.sizes, {p.in_strides, p.out_strides});
  g.batch = space_of(batch, p.rank, p.sizes, false);
  g.in = strided_of(call, op::copy::in, p.rank, p.in_strides);
  g.out = strided_of(call, op::copy::out, p.rank, p.out_strides);
  const auto tiles = [](std::uint32_t size) { return (size + kernels::kCopyTile - 1) / kernels::kCopyTile; };
  constexpr std::uint32_t kMaxBlocks = 65535;
  stream.launch("copy_tile", kernels::copy_tile, dim3(tiles(g.rows) * tiles(g.columns), std::min(batch, kMaxBlocks)),
                g);
}

}  // namespace

void fill(const KernelCall& call, Stream& stream) {
  const auto params = call.params<FillParams>();
  stream.launch("fill", kernels::fill, stream.blocks_for(params.count, kPack),
                kernels::FillArguments{array_of(call, op::fill::out), params});
}

void cast(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CountParams>();
  stream.launch("cast", kernels::cast, stream.blocks_for(params.count, kPack),
                kernels::CastArguments{array_of(call, op::cast::in), array_of(call, op::cast::out), params});
}

void copy(const KernelCall& call, Stream& stream) {
  auto params = call.params<CopyParams>();
  sort_axes(params);
  const std::uint32_t count = merge_axes(params.rank, params.sizes, {params.in_strides, params.out_strides});
  if (count == 0) return;
  const bool is_dense = params.rank == 1 && (count == 1 || (params.in_strides[0] == 1 && params.out_strides[0] == 1));
  if (is_dense && call.type_at(op::copy::in) == call.type_at(op::copy::out)) {
    // The engine's own copy is the fastest there is.
    return stream.start("copy_memory", [&](cudaStream_t handle) {
      return cudaMemcpyAsync(address_of(call, op::copy::out), address_of(call, op::copy::in),
                             count * size_of(call.type_at(op::copy::in)), cudaMemcpyDeviceToDevice, handle);
    });
  }
  if (const std::int32_t rows = transposed_axis(params); rows >= 0) return copy_tiles(call, params, rows, stream);
  const Strided in = strided_of(call, op::copy::in, params.rank, params.in_strides);
  const Strided out = strided_of(call, op::copy::out, params.rank, params.out_strides);
  const Space space = space_of(count, params.rank, params.sizes, out.array.wide);
  if (space.packs) {
    stream.launch("copy_packs", kernels::copy_packs, stream.blocks_for(count, kPack),
                  kernels::CopyArguments{space, in, out});
  } else {
    stream.launch("copy_elements", kernels::copy_elements, stream.blocks_for(count),
                  kernels::CopyArguments{space, in, out});
  }
}

void accumulate(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CountParams>();
  stream.launch(
      "accumulate", kernels::accumulate, stream.blocks_for(params.count, kPack),
      kernels::AccumulateArguments{array_of(call, op::accumulate::in), array_of(call, op::accumulate::sum), params});
}

}  // namespace amphora::cuda::launchers
