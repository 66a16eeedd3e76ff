// loss: cross-entropy on logits.
#include "cuda/include/loss.h"

#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {
namespace {

const std::int32_t* targets_of(const KernelCall& call) {
  return static_cast<const std::int32_t*>(address_of(call, op::cross_entropy::targets));
}

}  // namespace

void cross_entropy(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const RowTiling tiling = row_tiling_of(params.columns);
  const kernels::CrossEntropyArguments arguments{
      array_of(call, op::cross_entropy::logits),      targets_of(call), array_of(call, op::cross_entropy::loss),
      array_of(call, op::cross_entropy::log_sum_exp), params,           tiling};
  stream.launch("cross_entropy", kernels::cross_entropy,
                dim3(stream.blocks_for(std::uint64_t{params.rows} * tiling.lanes)), arguments);
}

void cross_entropy_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const kernels::CrossEntropyGradArguments arguments{
      array_of(call, op::cross_entropy_grad::logits),
      targets_of(call),
      array_of(call, op::cross_entropy_grad::log_sum_exp),
      array_of(call, op::cross_entropy_grad::dloss),
      array_of(call, op::cross_entropy_grad::dlogits, call.type_at(op::cross_entropy_grad::logits)),
      params};
  stream.launch("cross_entropy_grad", kernels::cross_entropy_grad,
                dim3(stream.blocks_for(std::uint64_t{params.rows} * params.columns, 8)), arguments);
}

}  // namespace amphora::cuda::launchers
