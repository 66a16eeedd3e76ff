// copy: memory without arithmetic.
#include "backends/vulkan/kernels.h"
#include "backends/vulkan/strided.h"

namespace amphora::vulkan::launchers {

void fill(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<FillParams>();
  if (params.count == 0) return;
  recorder.dispatch("fill", call, Push(call).add(params), recorder.spread(params.count), {by_fours(call, {0})});
}

void cast(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<CountParams>();
  if (params.count == 0) return;
  recorder.dispatch("cast", call, Push(call).add(params), recorder.spread(params.count), {by_fours(call, {0, 1})});
}

void copy(const KernelCall& call, Recorder& recorder) {
  auto params = call.params<CopyParams>();
  const std::uint32_t count = merge_axes(params.rank, params.sizes, {params.in_strides, params.out_strides});
  if (count == 0) return;
  const std::uint32_t layout =
      layout_of(call, params.rank, params.sizes, {{0, params.in_strides}, {1, params.out_strides}});
  recorder.dispatch("copy", call, Push(call).add(params).add(count), recorder.spread(count),
                    {layout, static_cast<std::uint32_t>(params.rank)});
}

void accumulate(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<CountParams>();
  if (params.count == 0) return;
  recorder.dispatch("accumulate", call, Push(call).add(params), recorder.spread(params.count),
                    {by_fours(call, {0, 1})});
}

}  // namespace amphora::vulkan::launchers
