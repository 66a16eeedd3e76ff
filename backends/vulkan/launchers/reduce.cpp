// reduce: sums and extrema along the middle of [outer, extent, inner].
#include <algorithm>

#include "backends/vulkan/launchers/launchers.h"

namespace amphora::vulkan::launchers {
namespace {

// How workgroups take the lines, as in shaders/include/lines.glsl; by shape and device alone.
struct LineTiling {
  std::uint32_t columns = 1;
  std::uint32_t row_lanes = 1;
  std::uint32_t parts = 1;
  std::uint32_t part_rows = 0;
};

std::uint32_t blocks_of(std::uint32_t size, std::uint32_t block) { return (size + block - 1) / block; }

std::uint64_t tiles_of(const LineTiling& tiling, std::uint32_t workgroup, std::uint32_t outer, std::uint32_t inner) {
  const std::uint32_t outers = workgroup / (tiling.columns * tiling.row_lanes);
  return std::uint64_t{blocks_of(inner, tiling.columns)} * blocks_of(outer, outers);
}

LineTiling tiling_of(const Capabilities& device, std::uint32_t extent, std::uint32_t inner) {
  // Fewer rows a lane, and joining the lanes costs more than it saves.
  constexpr std::uint32_t kMinRows = 8;
  LineTiling tiling;
  tiling.columns = std::clamp(inner, 1u, device.workgroup_size);
  while (2 * tiling.row_lanes * tiling.columns <= device.workgroup_size && 2 * tiling.row_lanes * kMinRows <= extent) {
    tiling.row_lanes *= 2;
  }
  tiling.part_rows = extent;
  return tiling;
}

// Cuts long lines where there are too few workgroups to fill the device.
void split_lines(LineTiling& tiling, const Capabilities& device, std::uint32_t outer, std::uint32_t extent,
                 std::uint32_t inner) {
  const std::uint64_t wanted = device.is_cpu ? 8 : 1024;
  const std::uint64_t least_elements = device.is_cpu ? 65536 : 8192;
  const std::uint64_t tiles = tiles_of(tiling, device.workgroup_size, outer, inner);
  const std::uint64_t parts = std::min({wanted / std::max<std::uint64_t>(tiles, 1), std::uint64_t{extent} / 64,
                                        std::uint64_t{outer} * extent * inner / least_elements});
  if (parts < 2) return;
  tiling.part_rows = blocks_of(extent, static_cast<std::uint32_t>(parts));
  tiling.parts = blocks_of(extent, tiling.part_rows);
}

// What four neighbours in memory are, see kFours in shaders/reduce.comp.
enum class Fours : std::uint32_t { nothing, columns, rows };

Fours fours_of(const ReduceParams& params, std::size_t offset, DType type) {
  if (offset % (4 * size_of(type)) != 0) return Fours::nothing;
  if (params.inner == 1) return params.extent % 4 == 0 ? Fours::rows : Fours::nothing;
  return params.inner % 4 == 0 ? Fours::columns : Fours::nothing;
}

struct Pass {
  ReduceParams params;
  DType in;
  DType out;
  Fours fours;
  LineTiling tiling;
};

void run(const Pass& pass, const KernelCall& call, CommandEncoder& encoder, Push push) {
  const std::uint32_t inner = pass.fours == Fours::columns ? pass.params.inner / 4 : pass.params.inner;
  const std::uint32_t workgroup = encoder.capabilities().workgroup_size;
  const std::uint64_t tiles = tiles_of(pass.tiling, workgroup, pass.params.outer, inner) * pass.tiling.parts;
  encoder.dispatch("reduce", call, push.add(pass.params).add(pass.tiling), encoder.spread(tiles * workgroup, 1),
                   {static_cast<std::uint32_t>(pass.in), static_cast<std::uint32_t>(pass.out),
                    static_cast<std::uint32_t>(pass.fours)});
}

}  // namespace

void reduce(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<ReduceParams>();
  const Capabilities& device = encoder.capabilities();
  const std::uint32_t results = params.outer * params.inner;
  if (results == 0) return;
  Pass pass{params,
            call.type_at(op::reduce::in),
            call.type_at(op::reduce::out),
            fours_of(params, call.at(op::reduce::in).offset, call.type_at(op::reduce::in)),
            {}};
  const std::uint32_t extent = pass.fours == Fours::rows ? params.extent / 4 : params.extent;
  const std::uint32_t inner = pass.fours == Fours::columns ? params.inner / 4 : params.inner;
  pass.tiling = tiling_of(device, extent, inner);
  split_lines(pass.tiling, device, params.outer, extent, inner);
  Push push;
  push.add_buffer(call, op::reduce::in);
  if (pass.tiling.parts == 1) return run(pass, call, encoder, push.add_buffer(call, op::reduce::out));

  // Each part gives an f32 as it is; a second pass joins the parts in order, and finishes.
  const Block& scratch = encoder.scratch(sizeof(float) * pass.tiling.parts * results);
  pass.params.scale = 1.0f;
  pass.params.accumulate = 0;
  pass.out = DType::f32;
  run(pass, call, encoder, push.add_buffer(scratch, true));
  Pass last{{1, pass.tiling.parts, results, params.scale, params.accumulate},
            DType::f32,
            call.type_at(op::reduce::out),
            Fours::nothing,
            tiling_of(device, pass.tiling.parts, results)};
  Push last_push;
  run(last, call, encoder, last_push.add_buffer(scratch, false).add_buffer(call, op::reduce::out));
}

void reduce_grad(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<ReduceParams>();
  if (params.outer == 0 || params.extent == 0 || params.inner == 0) return;
  const LineTiling tiling = tiling_of(encoder.capabilities(), params.extent, params.inner);
  const std::uint32_t workgroup = encoder.capabilities().workgroup_size;
  const std::uint64_t tiles = tiles_of(tiling, workgroup, params.outer, params.inner);
  encoder.dispatch("reduce_grad", call, Push(call).add(params).add(tiling), encoder.spread(tiles * workgroup, 1));
}

}  // namespace amphora::vulkan::launchers
