// pointwise: the functions of kernel/shared/pointwise.def.
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {

void unary(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<UnaryParams>();
  if (params.count == 0) return;
  encoder.dispatch("unary", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::unary::x, op::unary::y})});
}

void unary_grad(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<UnaryParams>();
  if (params.count == 0) return;
  encoder.dispatch("unary_grad", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::unary_grad::x, op::unary_grad::y, op::unary_grad::dy, op::unary_grad::dx})});
}

void binary(const KernelCall& call, CommandEncoder& encoder) {
  auto params = call.params<BinaryParams>();
  const std::uint32_t count = merge_axes(params.rank, params.sizes, {params.a_strides, params.b_strides});
  if (count == 0) return;
  const std::uint32_t layout =
      layout_of(call, params.rank, params.sizes, {{0, params.a_strides}, {1, params.b_strides}, {2, nullptr}});
  encoder.dispatch("binary", call, Push(call).add(params).add(count), encoder.spread(count),
                   {layout, static_cast<std::uint32_t>(params.rank)});
}

void binary_grad(const KernelCall& call, CommandEncoder& encoder) {
  auto params = call.params<BinaryParams>();
  const std::uint32_t count =
      merge_axes(params.rank, params.sizes, {params.a_strides, params.b_strides, params.dy_strides});
  if (count == 0) return;
  const std::uint32_t layout =
      layout_of(call, params.rank, params.sizes,
                {{0, params.a_strides}, {1, params.b_strides}, {2, params.dy_strides}, {3, nullptr}});
  encoder.dispatch("binary_grad", call, Push(call).add(params).add(count), encoder.spread(count),
                   {layout, static_cast<std::uint32_t>(params.rank)});
}

}  // namespace amphora::vulkan::launchers
