// softmax: along rows.
#include "cuda/include/softmax.h"

#include "backends/cuda/kernels.h"
#include "backends/cuda/rows.h"

namespace amphora::cuda::launchers {

void softmax(const KernelCall& call, Stream& stream) {
  const auto params = call.params<RowsParams>();
  const unsigned threads = threads_of_row(params.columns);
  stream.launch("softmax", kernels::softmax, blocks_for_rows(stream, params.rows, threads),
                kernels::SoftmaxArguments{rows_of(call, 0, params.columns), rows_of(call, 1, params.columns), params,
                                          threads, (call.spec.flags & kFlagLog) != 0});
}

void softmax_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<RowsParams>();
  const unsigned threads = threads_of_row(params.columns);
  stream.launch("softmax_grad", kernels::softmax_grad, blocks_for_rows(stream, params.rows, threads),
                kernels::SoftmaxGradArguments{rows_of(call, 0, params.columns), rows_of(call, 1, params.columns),
                                              rows_of(call, 2, params.columns), params, threads,
                                              (call.spec.flags & kFlagLog) != 0});
}

}  // namespace amphora::cuda::launchers
