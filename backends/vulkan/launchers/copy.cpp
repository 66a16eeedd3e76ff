// copy: memory without arithmetic.
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {

void fill(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<FillParams>();
  if (params.count == 0) return;
  encoder.dispatch("fill", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::fill::out})});
}

void cast(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<CountParams>();
  if (params.count == 0) return;
  encoder.dispatch("cast", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::cast::in, op::cast::out})});
}

void copy(const KernelCall& call, CommandEncoder& encoder) {
  auto params = call.params<CopyParams>();
  const std::uint32_t count = merge_axes(params.rank, params.sizes, {params.in_strides, params.out_strides});
  if (count == 0) return;
  const std::uint32_t layout =
      layout_of(call, params.rank, params.sizes, {{0, params.in_strides}, {1, params.out_strides}});
  encoder.dispatch("copy", call, Push(call).add(params).add(count), encoder.spread(count),
                   {layout, static_cast<std::uint32_t>(params.rank)});
}

void accumulate(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<CountParams>();
  if (params.count == 0) return;
  encoder.dispatch("accumulate", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::accumulate::in, op::accumulate::sum})});
}

}  // namespace amphora::vulkan::launchers
