// copy: memory without arithmetic but rounding.
#include "cuda/include/copy.h"

#include <algorithm>

#include "backends/cuda/kernels.h"
#include "backends/cuda/strided.h"

namespace amphora::cuda::launchers {
namespace {

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

void copy_tiles(const KernelCall& call, const CopyParams& p, std::int32_t rows, Stream& stream) {
  const std::int32_t columns = p.rank - 1;
  kernels::TransposeArguments g{array_of(call, 0),
                                array_of(call, 1),
                                static_cast<std::uint32_t>(p.sizes[rows]),
                                static_cast<std::uint32_t>(p.sizes[columns]),
                                p.out_strides[rows],
                                p.in_strides[columns],
                                {},
                                {},
                                {}};
  g.batch.rank = 0;
  g.batch.packs = 1;
  for (std::int32_t axis = 0; axis < columns; ++axis) {
    if (axis == rows) continue;
    g.batch.sizes[g.batch.rank] = p.sizes[axis];
    g.in_strides[g.batch.rank] = p.in_strides[axis];
    g.out_strides[g.batch.rank] = p.out_strides[axis];
    g.batch.packs *= static_cast<std::uint32_t>(p.sizes[axis]);
    ++g.batch.rank;
  }
  const auto tiles = [](std::uint32_t size) { return (size + kernels::kCopyTile - 1) / kernels::kCopyTile; };
  constexpr std::uint32_t kMostBlocks = 65535;
  stream.launch("copy_tile", kernels::copy_tile,
                dim3(tiles(g.rows) * tiles(g.columns), std::min(g.batch.packs, kMostBlocks)), g);
}

}  // namespace

void fill(const KernelCall& call, Stream& stream) {
  const auto params = call.params<FillParams>();
  stream.launch("fill", kernels::fill, stream.blocks_for(params.count, 8),
                kernels::FillArguments{array_of(call, 0), params});
}

void cast(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CountParams>();
  stream.launch("cast", kernels::cast, stream.blocks_for(params.count, 8),
                kernels::CastArguments{array_of(call, 0), array_of(call, 1), params});
}

void copy(const KernelCall& call, Stream& stream) {
  auto params = call.params<CopyParams>();
  const std::uint32_t count = merge_axes(params.rank, params.sizes, {params.in_strides, params.out_strides});
  if (count == 0) return;
  const bool is_dense = params.rank == 1 && (count == 1 || (params.in_strides[0] == 1 && params.out_strides[0] == 1));
  if (is_dense && call.spec.types[0] == call.spec.types[1]) {
    // The engine's own copy is the fastest there is.
    const cudaError_t status =
        cudaMemcpyAsync(address_of(call, 1), address_of(call, 0), count * size_of(call.spec.types[0]),
                        cudaMemcpyDeviceToDevice, stream.handle());
    return stream.ran("copy_memory", status);
  }
  if (const std::int32_t rows = transposed_axis(params); rows >= 0) return copy_tiles(call, params, rows, stream);
  const Space space = space_of(params.rank, params.sizes);
  stream.launch("copy_packs", kernels::copy_packs, stream.blocks_for(space.packs),
                kernels::CopyArguments{space, strided_of(call, 0, space, params.in_strides),
                                       strided_of(call, 1, space, params.out_strides)});
}

void accumulate(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CountParams>();
  stream.launch("accumulate", kernels::accumulate, stream.blocks_for(params.count, 8),
                kernels::AccumulateArguments{array_of(call, 0), array_of(call, 1), params});
}

}  // namespace amphora::cuda::launchers
