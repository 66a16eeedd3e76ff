// softmax: along rows.
#include "cuda/include/softmax.h"

#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {

void softmax(const KernelCall& call, Stream& stream) {
  const auto params = call.params<RowsParams>();
  if (params.columns == 0) return;
  const RowTiling tiling = row_tiling_of(params.columns);
  const kernels::SoftmaxArguments arguments{array_of(call, op::softmax::x), array_of(call, op::softmax::y), params,
                                            tiling, (call.spec.flags & kSoftmaxLog) != 0};
  stream.launch("softmax", kernels::softmax, dim3(stream.blocks_for(std::uint64_t{params.rows} * tiling.lanes)),
                arguments);
}

void softmax_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<RowsParams>();
  if (params.columns == 0) return;
  const RowTiling tiling = row_tiling_of(params.columns);
  const kernels::SoftmaxGradArguments arguments{array_of(call, op::softmax_grad::y),
                                                array_of(call, op::softmax_grad::dy),
                                                array_of(call, op::softmax_grad::dx),
                                                params,
                                                tiling,
                                                (call.spec.flags & kSoftmaxLog) != 0};
  stream.launch("softmax_grad", kernels::softmax_grad,
                dim3(stream.blocks_for(std::uint64_t{params.rows} * tiling.lanes)), arguments);
}

}  // namespace amphora::cuda::launchers
