// loss: cross-entropy on logits.
#include "cuda/include/loss.h"

#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {
namespace {

const std::int32_t* targets_of(const KernelCall& call) { return static_cast<const std::int32_t*>(address_of(call, 1)); }

}  // namespace

void cross_entropy(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const RowTiling tiling = row_tiling_of(params.columns);
  const kernels::CrossEntropyArguments arguments{array_of(call, 0), targets_of(call), array_of(call, 2),
                                                 array_of(call, 3), params,           cut};
  stream.launch("cross_entropy", kernels::cross_entropy,
                dim3(stream.blocks_for(std::uint64_t{params.rows} * tiling.lanes)), arguments);
}

void cross_entropy_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const kernels::CrossEntropyGradArguments arguments{array_of(call, 0),
                                                     targets_of(call),
                                                     array_of(call, 2),
                                                     array_of(call, 3),
                                                     array_of(call, 4, call.spec.types[0]),
                                                     params};
  stream.launch("cross_entropy_grad", kernels::cross_entropy_grad,
                dim3(stream.blocks_for(std::uint64_t{params.rows} * params.columns, 8)), arguments);
}

}  // namespace amphora::cuda::launchers
