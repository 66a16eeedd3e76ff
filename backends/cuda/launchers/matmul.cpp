// matmul: through cuBLASLt where it multiplies the types, else by multiply-adds in f32.
#include "cuda/include/matmul.h"

#include <algorithm>

#include "backends/cuda/launchers/launchers.h"
#include "backends/cuda/products.h"

namespace amphora::cuda {
namespace {

constexpr std::uint32_t kMaxBlocks = 65535;  // of a grid's second axis

Epilogue epilogue_of(const KernelCall& call, const Operands& target, float alpha) {
  const auto params = call.params<MatmulParams>();
  // Eight neighbours of c are aligned in every row or in none.
  const bool rows_are_wide = params.ldc % 8 == 0 && (params.batch == 1 || params.c_batch_stride % 8 == 0);
  const auto array = [](const void* data, DType type, bool wide) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
    return Array{const_cast<void*>(data), type, wide && aligned};
  };
  const DType type = call.type_at(op::matmul::c);
  return {array(target.c, type, rows_are_wide),
          array(target.bias, call.type_at(op::matmul::bias), true),
          array(target.aux, type, rows_are_wide),
          alpha,
          target.beta,
          static_cast<Activation>(call.spec.function),
          (call.spec.flags & kMatmulDerivative) != 0};
}

void multiply_and_add(const KernelCall& call, const Operands& operands, Stream& stream) {
  const auto params = call.params<MatmulParams>();
  const auto tiles = [](std::int32_t size) {
    return static_cast<unsigned>((size + kernels::kMatmulTile - 1) / kernels::kMatmulTile);
  };
  const dim3 blocks(tiles(params.m) * tiles(params.n), std::min(static_cast<std::uint32_t>(params.batch), kMaxBlocks));
  stream.launch(
      "matmul_fma", kernels::matmul_fma, blocks,
      kernels::MatmulArguments{array_of(call, op::matmul::a), array_of(call, op::matmul::b),
                               epilogue_of(call, operands, operands.alpha), params,
                               (call.spec.flags & kMatmulTransposeA) != 0, (call.spec.flags & kMatmulTransposeB) != 0});
}

}  // namespace

void finish_product(const KernelCall& call, const float* sums, const Operands& target, Stream& stream) {
  const auto params = call.params<MatmulParams>();
  const auto packs = static_cast<std::uint64_t>((params.n + 7) / 8);
  const auto rows = static_cast<std::uint64_t>(params.m) * static_cast<std::uint64_t>(params.batch);
  stream.launch("matmul_epilogue", kernels::matmul_epilogue, dim3(stream.blocks_for(packs * rows)),
                kernels::MatmulEpilogueArguments{sums, epilogue_of(call, target, 1.0f), params});
  if ((call.spec.flags & kMatmulBiasGradient) != 0) sum_columns(call, target, stream);
}

void sum_columns(const KernelCall& call, const Operands& target, Stream& stream) {
  const auto params = call.params<MatmulParams>();
  const auto rows = static_cast<std::uint32_t>(params.m) * static_cast<std::uint32_t>(params.batch);
  const auto columns = static_cast<std::uint32_t>(params.n);
  const unsigned groups = (columns + kernels::kSumColumns - 1) / kernels::kSumColumns;
  // By shape alone, so that every device adds in the same order.
  const std::uint32_t part_rows = std::max(512u, rows / kMaxBlocks + 1);
  const unsigned parts = rows / part_rows + (rows % part_rows != 0 ? 1 : 0);
  const float* old = (call.spec.flags & kMatmulAddBiasGradient) != 0 ? target.bias_gradient : nullptr;
  kernels::ColumnSumsArguments sums{{target.c, call.type_at(op::matmul::c), false},
                                    params.ldc,
                                    params.c_batch_stride,
                                    static_cast<std::uint32_t>(params.m),
                                    rows,
                                    columns,
                                    part_rows,
                                    old,
                                    target.bias_gradient};
  if (parts <= 1) return stream.launch("column_sums", kernels::column_sums, dim3(groups, 1), sums);
  auto* partial = static_cast<float*>(stream.scratch(sizeof(float) * parts * columns));
  sums.old = nullptr;
  sums.out = partial;
  stream.launch("column_sums", kernels::column_sums, dim3(groups, parts), sums);
  stream.launch("column_sums", kernels::column_sums, dim3(groups, 1),
                kernels::ColumnSumsArguments{
                    {partial, DType::f32, false}, columns, 0, parts, parts, columns, parts, old, target.bias_gradient});
}

const ProductPlan* plan_of(const KernelCall& call, Stream& stream) {
  const auto params = call.params<MatmulParams>();
  const bool is_empty = params.m <= 0 || params.n <= 0 || params.k <= 0 || params.batch <= 0;
  return is_empty || !multiplies(call.spec, stream.capabilities()) ? nullptr : stream.products().find(call, stream);
}

void launchers::matmul(const KernelCall& call, Stream& stream) {
  const auto params = call.params<MatmulParams>();
  Operands operands = operands_of(call);
  if (params.n <= 0) return;
  if (params.m > 0 && params.batch > 0) {
    const ProductPlan* plan = plan_of(call, stream);
    if (plan == nullptr) {
      multiply_and_add(call, operands, stream);
    } else if (plan->epilogue_mode() == EpilogueMode::separate) {
      const auto elements = static_cast<std::size_t>(params.m) * static_cast<std::size_t>(params.n) *
                            static_cast<std::size_t>(params.batch);
      auto* sums = static_cast<float*>(stream.scratch(sizeof(float) * elements));
      Operands bare = operands;
      bare.c = sums;
      bare.beta = 0.0f;
      stream.products().run(*plan, bare, stream);
      return finish_product(call, sums, operands, stream);
    } else {
      stream.products().run(*plan, operands, stream);
      if (plan->makes_bias_gradient()) return;
    }
  }
  if ((call.spec.flags & kMatmulBiasGradient) != 0) sum_columns(call, operands, stream);
}

}  // namespace amphora::cuda
