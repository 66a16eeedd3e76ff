// reduce: sums and extrema along the middle of [outer, extent, inner].
#include <algorithm>

#include "backends/vulkan/kernels.h"

namespace amphora::vulkan::launchers {
namespace {

// How workgroups take the lines, as in shaders/include/lines.glsl; by shape and device alone.
struct LineCut {
  std::uint32_t columns = 1;
  std::uint32_t row_lanes = 1;
  std::uint32_t parts = 1;
  std::uint32_t part_rows = 0;
};

std::uint32_t blocks_of(std::uint32_t size, std::uint32_t block) { return (size + block - 1) / block; }

std::uint64_t tiles_of(const LineCut& cut, std::uint32_t workgroup, std::uint32_t outer, std::uint32_t inner) {
  const std::uint32_t outers = workgroup / (cut.columns * cut.row_lanes);
  return std::uint64_t{blocks_of(inner, cut.columns)} * blocks_of(outer, outers);
}

LineCut cut_of(const Capabilities& device, std::uint32_t extent, std::uint32_t inner) {
  // Fewer rows a lane, and joining the lanes costs more than it saves.
  constexpr std::uint32_t kLeastRows = 8;
  LineCut cut;
  cut.columns = std::clamp(inner, 1u, device.workgroup_size);
  while (2 * cut.row_lanes * cut.columns <= device.workgroup_size && 2 * cut.row_lanes * kLeastRows <= extent) {
    cut.row_lanes *= 2;
  }
  cut.part_rows = extent;
  return cut;
}

// Cuts long lines where there are too few workgroups to fill the device.
void split_lines(LineCut& cut, const Capabilities& device, std::uint32_t outer, std::uint32_t extent,
                 std::uint32_t inner) {
  const std::uint64_t wanted = device.is_cpu ? 8 : 1024;
  const std::uint64_t least_elements = device.is_cpu ? 65536 : 8192;
  const std::uint64_t tiles = tiles_of(cut, device.workgroup_size, outer, inner);
  const std::uint64_t parts = std::min({wanted / std::max<std::uint64_t>(tiles, 1), std::uint64_t{extent} / 64,
                                        std::uint64_t{outer} * extent * inner / least_elements});
  if (parts < 2) return;
  cut.part_rows = blocks_of(extent, static_cast<std::uint32_t>(parts));
  cut.parts = blocks_of(extent, cut.part_rows);
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
  LineCut cut;
};

void run(const Pass& pass, const KernelCall& call, Recorder& recorder, Push push) {
  const std::uint32_t inner = pass.fours == Fours::columns ? pass.params.inner / 4 : pass.params.inner;
  const std::uint32_t workgroup = recorder.capabilities().workgroup_size;
  const std::uint64_t tiles = tiles_of(pass.cut, workgroup, pass.params.outer, inner) * pass.cut.parts;
  recorder.dispatch("reduce", call, push.add(pass.params).add(pass.cut), recorder.spread(tiles * workgroup, 1),
                    {static_cast<std::uint32_t>(pass.in), static_cast<std::uint32_t>(pass.out),
                     static_cast<std::uint32_t>(pass.fours)});
}

}  // namespace

void reduce(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<ReduceParams>();
  const Capabilities& device = recorder.capabilities();
  const std::uint32_t results = params.outer * params.inner;
  if (results == 0) return;
  Pass pass{
      params, call.spec.types[0], call.spec.types[1], fours_of(params, call.buffers[0].offset, call.spec.types[0]), {}};
  const std::uint32_t extent = pass.fours == Fours::rows ? params.extent / 4 : params.extent;
  const std::uint32_t inner = pass.fours == Fours::columns ? params.inner / 4 : params.inner;
  pass.cut = cut_of(device, extent, inner);
  split_lines(pass.cut, device, params.outer, extent, inner);
  Push push;
  push.add_buffer(call, 0);
  if (pass.cut.parts == 1) return run(pass, call, recorder, push.add_buffer(call, 1));

  // Each part gives an f32 as it is; a second pass joins the parts in order, and finishes.
  const Block& scratch = recorder.scratch(sizeof(float) * pass.cut.parts * results);
  pass.params.scale = 1.0f;
  pass.params.accumulate = 0;
  pass.out = DType::f32;
  run(pass, call, recorder, push.add_buffer(scratch, true));
  Pass last{{1, pass.cut.parts, results, params.scale, params.accumulate},
            DType::f32,
            call.spec.types[1],
            Fours::nothing,
            cut_of(device, pass.cut.parts, results)};
  Push last_push;
  run(last, call, recorder, last_push.add_buffer(scratch, false).add_buffer(call, 1));
}

void reduce_grad(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<ReduceParams>();
  if (params.outer == 0 || params.extent == 0 || params.inner == 0) return;
  const LineCut cut = cut_of(recorder.capabilities(), params.extent, params.inner);
  const std::uint32_t workgroup = recorder.capabilities().workgroup_size;
  const std::uint64_t tiles = tiles_of(cut, workgroup, params.outer, params.inner);
  recorder.dispatch("reduce_grad", call, Push(call).add(params).add(cut), recorder.spread(tiles * workgroup, 1));
}

}  // namespace amphora::vulkan::launchers
