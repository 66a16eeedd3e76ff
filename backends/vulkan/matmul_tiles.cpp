#include "backends/vulkan/matmul_tiles.h"

#include <algorithm>

#include <fmt/format.h>

namespace amphora::vulkan {
namespace {

// How many sums a subgroup holds without spilling: 128 of the 256 registers of a lane. Subgroups narrower than 32 are
// Intel's, whose threads have less.
std::uint32_t most_sums(std::uint32_t lanes) { return lanes * (lanes >= 32 ? 128 : 64); }

// A square tile of `edge`, by as few subgroups as can hold its sums, but four at least, to share what is staged.
Tiling cooperative_tiling(const MatrixShape& shape, std::uint32_t edge, std::uint32_t lanes) {
  std::uint32_t part_m = edge / 2;
  std::uint32_t part_n = edge / 2;
  while (part_m * part_n > most_sums(lanes)) (part_m >= part_n ? part_m : part_n) /= 2;
  return {.cooperative = true,
          .unit = shape,
          .parts_m = part_m / shape.m,
          .parts_n = part_n / shape.n,
          .workers_m = edge / part_m,
          .workers_n = edge / part_n,
          .lanes = lanes,
          .depth = std::max(32u, shape.k),
          .padding = 8};
}

Tiling fma_tiling(std::uint32_t parts, std::uint32_t workers, std::uint32_t depth) {
  return {.unit = {.m = 4, .n = 4, .k = 1, .operand = DType::f32},
          .parts_m = parts,
          .parts_n = parts,
          .workers_m = workers,
          .workers_n = workers,
          .depth = depth};
}

// A CPU runs a workgroup in one thread, where shared memory and barriers only cost: one subgroup that loads for itself.
// Its fragments are few because what a driver compiles grows with them, and two side by side are within a tenth of the
// best.
Tiling cooperative_tiling_of_cpu(const MatrixShape& shape, std::uint32_t lanes) {
  return {.cooperative = true, .unit = shape, .parts_n = 2, .lanes = lanes, .depth = shape.k, .direct = true};
}

// The lanes of the subgroup are columns, so that an element of a is the same for all and loaded once.
Tiling fma_tiling_of_cpu(std::uint32_t lanes) {
  Tiling tiling = fma_tiling(1, 1, 4);
  tiling.parts_m = 4;
  tiling.workers_n = lanes;
  tiling.direct = true;
  return tiling;
}

bool fits(const Tiling& tiling, const Capabilities& capabilities) {
  return tiling.parts_m > 0 && tiling.parts_n > 0 && tiling.invocations() <= capabilities.max_invocations &&
         tiling.shared_bytes() <= capabilities.shared_memory;
}

// How well a tiling uses a device of `wanted` workgroups at a time, for comparisons: work per loaded element, the share
// of units that have work, the share of the tiles that is not padding.
double score(const Tiling& tiling, std::uint32_t slices, const MatmulParams& params, double wanted) {
  const double m = tiling.tile_m();
  const double n = tiling.tile_n();
  const double tiles_m = ceil_div(static_cast<std::uint32_t>(params.m), tiling.tile_m());
  const double tiles_n = ceil_div(static_cast<std::uint32_t>(params.n), tiling.tile_n());
  const double reuse = m * n / (m + n);
  const double busy = std::min(1.0, tiles_m * tiles_n * params.batch * slices / wanted);
  const double used = params.m / (tiles_m * m) * params.n / (tiles_n * n);
  return reuse / (reuse + 16.0) * busy * used * (slices > 1 ? 0.9 : 1.0);
}

// Whether k is long enough for that many slices, and the memory for their sums is small.
bool can_split(const MatmulParams& params, std::uint32_t slices) {
  constexpr std::int64_t kMinDepth = 256;
  constexpr std::int64_t kMaxSums = std::int64_t{1} << 26;
  const std::int64_t sums = std::int64_t{params.m} * params.n * slices;
  return params.k >= kMinDepth * slices && sums <= kMaxSums / params.batch;
}

}  // namespace

std::uint32_t Tiling::shared_bytes() const {
  if (!cooperative) return depth * (tile_m() + tile_n() + 8) * static_cast<std::uint32_t>(sizeof(float));
  const std::uint32_t a = std::max(tile_m() * (depth + padding), depth * (tile_m() + padding));
  const std::uint32_t b = std::max(tile_n() * (depth + padding), depth * (tile_n() + padding));
  const std::uint32_t out = workers_m * workers_n * unit.m * (parts_n * unit.n + 4);
  return std::max((a + b) * 2, out * static_cast<std::uint32_t>(sizeof(float)));
}

std::string describe(const Tiling& tiling) {
  const std::string kind = tiling.cooperative
                               ? fmt::format("cooperative matrix {}x{}x{}", tiling.unit.m, tiling.unit.n, tiling.unit.k)
                               : "fma";
  return fmt::format("{}, tile {}x{}{}", kind, tiling.tile_m(), tiling.tile_n(), tiling.direct ? ", direct" : "");
}

const MatrixShape* matrix_shape_for(const Spec& spec, const Capabilities& capabilities) {
  const DType a = spec.types[op::matmul::a];
  return a == spec.types[op::matmul::b] && is_16bit(a) ? capabilities.matrix_shape(a) : nullptr;
}

std::vector<Tiling> tilings(const Spec& spec, const Capabilities& capabilities) {
  const std::uint32_t lanes = capabilities.subgroup_size;
  std::vector<Tiling> ways;
  const auto add = [&](const Tiling& tiling) {
    if (fits(tiling, capabilities)) ways.push_back(tiling);
  };
  if (const MatrixShape* shape = matrix_shape_for(spec, capabilities)) {
    if (capabilities.is_cpu) {
      add(cooperative_tiling_of_cpu(*shape, lanes));
    } else {
      for (const std::uint32_t edge : {128u, 64u, 32u}) add(cooperative_tiling(*shape, edge, lanes));
    }
  }
  // What is staged only costs on a CPU, so there it is no choice beside what is not.
  if (ways.empty() && capabilities.is_cpu) add(fma_tiling_of_cpu(lanes));
  if (!ways.empty()) return ways;
  add(fma_tiling(2, 16, 8));
  add(fma_tiling(1, 16, 16));
  ways.push_back(fma_tiling(1, 8, 16));  // 64 invocations and 5 KiB: every device has these
  return ways;
}

Choice choose(const std::vector<Tiling>& ways, const MatmulParams& params, const Capabilities& capabilities) {
  const double wanted = capabilities.is_cpu ? 16 : 128;
  Choice best{ways.front()};
  if (params.m <= 0 || params.n <= 0 || params.batch <= 0) return best;
  double best_score = 0.0;
  for (const Tiling& tiling : ways) {
    for (std::uint32_t slices = 1; slices <= 16; slices *= 2) {
      if (slices > 1 && !can_split(params, slices)) break;
      const double value = score(tiling, slices, params, wanted);
      if (value <= best_score) continue;
      best_score = value;
      best = {tiling, slices};
    }
  }
  return best;
}

}  // namespace amphora::vulkan
