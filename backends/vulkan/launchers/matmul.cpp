// matmul: by cooperative matrices where both operands have one 16-bit type and the device multiplies it, else by
// multiply-adds in f32.
#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/matmul_tiles.h"

namespace amphora::vulkan {
namespace {

// Options of the kernels, as in shaders/include/matmul.glsl.
constexpr std::uint32_t kSplit = 1;
constexpr std::uint32_t kAlignedA = 2;
constexpr std::uint32_t kAlignedB = 4;
constexpr std::uint32_t kDirect = 8;
constexpr std::uint32_t kPrefetch = 16;

// 1 + the activation's row of pointwise.def; 0: none.
std::uint32_t activation_of(const KernelCall& call) {
  const auto activation = static_cast<Activation>(call.spec.function);
  return activation == Activation::none ? 0 : static_cast<std::uint32_t>(function_of(activation)) + 1;
}

// Whether every row of an operand begins at a multiple of `elements`. Blocks of memory begin at multiples of 256 bytes.
bool is_aligned(const KernelCall& call, std::size_t index, std::int32_t leading, std::int32_t batch_stride,
                std::int32_t elements) {
  const std::size_t bytes = size_of(call.spec.types[index]) * static_cast<std::size_t>(elements);
  return call.buffers[index].offset % bytes == 0 && leading % elements == 0 && batch_stride % elements == 0;
}

std::uint32_t options_of(const KernelCall& call, const Choice& choice) {
  const auto params = call.params<MatmulParams>();
  const Tiling& t = choice.tiling;
  const std::int32_t wide = t.cooperative ? 8 : 4;
  const bool a = is_aligned(call, op::matmul::a, params.lda, params.batch > 1 ? params.a_batch_stride : 0, wide);
  const bool b = is_aligned(call, op::matmul::b, params.ldb, params.batch > 1 ? params.b_batch_stride : 0, wide);
  const auto divides = [](std::uint32_t part, std::int32_t whole) {
    return static_cast<std::uint32_t>(whole) % part == 0;
  };
  // Fragments are loaded whole and from aligned addresses; multiply-adds load within bounds, from anywhere.
  const bool whole =
      a && b && divides(t.tile_m(), params.m) && divides(t.tile_n(), params.n) && divides(t.unit.k, params.k);
  const bool direct = t.direct && (!t.cooperative || whole);
  return (choice.slices > 1 ? kSplit : 0u) | (a ? kAlignedA : 0u) | (b ? kAlignedB : 0u) | (direct ? kDirect : 0u) |
         (t.direct ? 0u : kPrefetch);
}

// One dispatch of some tiles of some batches. The layout of what it pushes is that of shaders/include/matmul.glsl.
struct Piece {
  std::uint32_t first_tile = 0;
  std::uint32_t first_batch = 0;
  std::uint32_t depth = 0;
  std::uint32_t slices = 1;
};

Push push_of(const KernelCall& call, const MatmulParams& params, const Block* partial, bool writes,
             const Piece& piece) {
  Push push;
  for (int buffer = 0; buffer < 5; ++buffer) push.add_buffer(call, buffer);
  push.add(params);
  if (partial != nullptr) {
    push.add_buffer(*partial, writes);
  } else {
    push.add(std::uint64_t{0});
  }
  return push.add(piece);
}

void dispatch(const KernelCall& call, CommandEncoder& encoder, const Choice& choice, const Push& push, Groups groups) {
  const Tiling& t = choice.tiling;
  const std::uint32_t activation = activation_of(call);
  const std::uint32_t options = options_of(call, choice);
  if (t.cooperative) {
    encoder.dispatch(matmul_shader(t.unit.operand), call, push, groups,
                     {activation, options, t.unit.m, t.unit.n, t.unit.k, t.parts_m, t.parts_n, t.workers_m, t.workers_n,
                      t.depth, t.padding},
                     t.invocations());
  } else {
    encoder.dispatch("matmul", call, push, groups,
                     {activation, options, t.workers_m, t.workers_n, t.parts_m, t.parts_n, t.depth}, t.invocations());
  }
}

// How many tiles and batches a dispatch may have, so that none comes near the limits of watchdogs, on a slow GPU
// either: 200 ms at 0.16 TFLOP/s, or 1.3 with cooperative matrices. A CPU has no watchdog.
struct Share {
  std::uint32_t tiles;
  std::uint32_t batches;
};

Share share_of(const Tiling& tiling, const MatmulParams& params, const Capabilities& capabilities) {
  const double most = capabilities.is_cpu ? 1e18 : tiling.cooperative ? 256e9 : 32e9;
  const double one = 2.0 * tiling.tile_m() * tiling.tile_n() * std::max(params.k, 1);
  const auto limited = [](double wanted, std::uint32_t limit) {
    return static_cast<std::uint32_t>(std::clamp(wanted, 1.0, static_cast<double>(limit)));
  };
  const auto batch = static_cast<std::uint32_t>(params.batch);
  const std::uint32_t batches = limited(most / one, std::min(batch, capabilities.max_groups[2]));
  return {limited(most / one / batches, capabilities.max_groups[0]), batches};
}

// Adds up the slices.
void sum_slices(const KernelCall& call, CommandEncoder& encoder, const MatmulParams& params, const Block& partial,
                Piece piece) {
  const auto batch = static_cast<std::uint32_t>(params.batch);
  const std::uint32_t step = encoder.capabilities().max_groups[2];
  Groups groups = encoder.spread(static_cast<std::uint64_t>(params.m) * static_cast<std::uint64_t>(params.n), 1);
  for (piece.first_batch = 0; piece.first_batch < batch; piece.first_batch += step) {
    groups.z = std::min(step, batch - piece.first_batch);
    encoder.dispatch("matmul_split_sum", call, push_of(call, params, &partial, false, piece), groups,
                     {activation_of(call)});
  }
}

}  // namespace

void multiply(const KernelCall& call, CommandEncoder& encoder, const Choice& choice) {
  const auto params = call.params<MatmulParams>();
  if (params.m <= 0 || params.n <= 0 || params.batch <= 0) return;
  const auto m = static_cast<std::uint32_t>(params.m);
  const auto n = static_cast<std::uint32_t>(params.n);
  const auto k = static_cast<std::uint32_t>(params.k);
  const auto batch = static_cast<std::uint32_t>(params.batch);
  const Tiling& tiling = choice.tiling;

  // A slice is a multiple of a block, so that it begins where wide loads may.
  Piece piece{.depth = k, .slices = choice.slices};
  const Block* partial = nullptr;
  if (choice.slices > 1) {
    piece.depth = ceil_div(ceil_div(k, choice.slices), tiling.depth) * tiling.depth;
    partial = &encoder.scratch(std::size_t{choice.slices} * batch * m * n * sizeof(float));
  }
  const std::uint32_t tiles = ceil_div(m, tiling.tile_m()) * ceil_div(n, tiling.tile_n());
  const Share share = share_of(tiling, params, encoder.capabilities());
  for (piece.first_batch = 0; piece.first_batch < batch; piece.first_batch += share.batches) {
    const std::uint32_t batches = std::min(share.batches, batch - piece.first_batch);
    for (piece.first_tile = 0; piece.first_tile < tiles; piece.first_tile += share.tiles) {
      dispatch(call, encoder, choice, push_of(call, params, partial, true, piece),
               {std::min(share.tiles, tiles - piece.first_tile), choice.slices, batches});
    }
  }
  if (partial != nullptr) sum_slices(call, encoder, params, *partial, piece);
}

std::string_view matmul_shader(DType operand) {
  return operand == DType::f16 ? "matmul_coopmat_f16" : "matmul_coopmat_bf16";
}

std::string matmul_path(const Spec& spec, const Capabilities& capabilities) {
  const MatrixShape* shape = matrix_shape_for(spec, capabilities);
  if (shape == nullptr) return "fma";
  return fmt::format("cooperative matrix {}x{}x{}", shape->m, shape->n, shape->k);
}

void launchers::matmul(const KernelCall& given, CommandEncoder& encoder) {
  const Capabilities& capabilities = encoder.capabilities();
  KernelCall call = given;
  call.spec.flags &= ~kMatmulTf32;  // f32 operands stay whole, and no shader is compiled twice
  multiply(call, encoder, choose(tilings(call.spec, capabilities), call.params<MatmulParams>(), capabilities));
}

}  // namespace amphora::vulkan
