// reduce: sums and extrema along the middle of [outer, extent, inner].
#include "cuda/include/reduce.h"

#include <algorithm>

#include "backends/cuda/kernels.h"

namespace amphora::cuda::launchers {
namespace {

constexpr std::uint32_t kPack = 8;

std::uint32_t blocks_of(std::uint32_t size, std::uint32_t block) { return (size + block - 1) / block; }

std::uint64_t tiles_of(const LineCut& cut, std::uint32_t outer, std::uint32_t inner) {
  const std::uint32_t outers = kernels::kReduceThreads / (cut.columns * cut.row_lanes);
  return std::uint64_t{blocks_of(inner, cut.columns)} * blocks_of(outer, outers);
}

LineCut cut_of(std::uint32_t extent, std::uint32_t inner) {
  // Fewer rows a lane, and joining the lanes costs more than it saves.
  constexpr std::uint32_t kLeastRows = 8;
  LineCut cut;
  cut.columns = std::clamp(inner, 1u, kernels::kReduceThreads);
  while (2 * cut.row_lanes * cut.columns <= kernels::kReduceThreads && 2 * cut.row_lanes * kLeastRows <= extent) {
    cut.row_lanes *= 2;
  }
  cut.part_rows = extent;
  return cut;
}

// Cuts long lines where there are too few blocks to fill a device. By shape alone: every device adds in the same order.
void split_lines(LineCut& cut, std::uint32_t outer, std::uint32_t extent, std::uint32_t inner) {
  constexpr std::uint64_t kWantedTiles = 1024;
  constexpr std::uint64_t kLeastPacks = 1024;  // of a part
  const std::uint64_t tiles = tiles_of(cut, outer, inner);
  const std::uint64_t parts = std::min({kWantedTiles / std::max<std::uint64_t>(tiles, 1), std::uint64_t{extent} / 64,
                                        std::uint64_t{outer} * extent * inner / kLeastPacks});
  if (parts < 2) return;
  cut.part_rows = blocks_of(extent, static_cast<std::uint32_t>(parts));
  cut.parts = blocks_of(extent, cut.part_rows);
}

Eights eights_of(const ReduceParams& params, const Array& in) {
  if (!in.wide) return Eights::nothing;
  if (params.inner == 1) return params.extent % kPack == 0 ? Eights::rows : Eights::nothing;
  return params.inner % kPack == 0 ? Eights::columns : Eights::nothing;
}

kernels::ReduceArguments pass_of(const ReduceParams& params, const Array& in, const Array& out, Reduction reduction) {
  const Eights eights = eights_of(params, in);
  const std::uint32_t extent = eights == Eights::rows ? params.extent / kPack : params.extent;
  const std::uint32_t inner = eights == Eights::columns ? params.inner / kPack : params.inner;
  return {in, out, params, extent, inner, cut_of(extent, inner), reduction, eights, 0};
}

void run(kernels::ReduceArguments pass, Stream& stream) {
  const std::uint64_t tiles = tiles_of(pass.cut, pass.params.outer, pass.inner) * pass.cut.parts;
  pass.tiles = static_cast<std::uint32_t>(tiles);
  stream.launch("reduce", kernels::reduce, stream.blocks_for(tiles * kernels::kReduceThreads), pass,
                kernels::kReduceThreads);
}

}  // namespace

void reduce(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ReduceParams>();
  const std::uint32_t results = params.outer * params.inner;
  if (results == 0) return;
  const auto reduction = static_cast<Reduction>(call.spec.function);
  kernels::ReduceArguments pass = pass_of(params, array_of(call, 0), array_of(call, 1), reduction);
  split_lines(pass.cut, params.outer, pass.extent, pass.inner);
  if (pass.cut.parts == 1) return run(pass, stream);

  // Each part gives an f32 as it is; a second pass joins the parts in order, and finishes.
  const Array partial{stream.scratch(sizeof(float) * pass.cut.parts * results), DType::f32, true};
  pass.out = partial;
  pass.params.scale = 1.0f;
  pass.params.accumulate = 0;
  run(pass, stream);
  run(pass_of({1, pass.cut.parts, results, params.scale, params.accumulate}, partial, array_of(call, 1), reduction),
      stream);
}

void reduce_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ReduceParams>();
  if (params.outer == 0 || params.extent == 0 || params.inner == 0) return;
  const LineCut cut = cut_of(params.extent, params.inner);
  const std::uint64_t tiles = tiles_of(cut, params.outer, params.inner);
  stream.launch("reduce_grad", kernels::reduce_grad, stream.blocks_for(tiles * kernels::kReduceThreads),
                kernels::ReduceGradArguments{array_of(call, 0), array_of(call, 1), array_of(call, 2), array_of(call, 3),
                                             params, cut, static_cast<std::uint32_t>(tiles)},
                kernels::kReduceThreads);
}

}  // namespace amphora::cuda::launchers
