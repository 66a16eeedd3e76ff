// loss: cross-entropy on logits.
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/rows.h"

namespace amphora::vulkan::launchers {
namespace {

// The logits and their gradient, which has the same type.
std::uint32_t logits_by_fours(const KernelCall& call) {
  const std::size_t four = 4 * size_of(call.type_at(op::cross_entropy_grad::logits));
  return call.at(op::cross_entropy_grad::logits).offset % four == 0 &&
                 call.at(op::cross_entropy_grad::dlogits).offset % four == 0
             ? 1
             : 0;
}

}  // namespace

void cross_entropy(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<CrossEntropyParams>();
  if (params.rows == 0) return;
  const RowTiling tiling(encoder, params.rows, params.columns);
  encoder.dispatch("cross_entropy", call, Push(call).add(params), tiling.groups, {tiling.lanes});
}

void cross_entropy_grad(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<CrossEntropyParams>();
  if (params.rows == 0 || params.columns == 0) return;
  encoder.dispatch("cross_entropy_grad", call, Push(call).add(params),
                   encoder.spread(std::uint64_t{params.rows} * params.columns), {logits_by_fours(call)});
}

}  // namespace amphora::vulkan::launchers
