// loss: cross-entropy on logits, a row a sample.
#include "cuda/include/loss.h"

#include "backends/cuda/kernels.h"
#include "backends/cuda/rows.h"

namespace amphora::cuda::launchers {

void cross_entropy(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const unsigned threads = threads_of_row(params.columns);
  stream.launch("cross_entropy", kernels::cross_entropy, blocks_for_rows(stream, params.rows, threads),
                kernels::CrossEntropyArguments{rows_of(call, 0, params.columns),
                                               static_cast<const std::int32_t*>(address_of(call, 1)), array_of(call, 2),
                                               array_of(call, 3), params, threads});
}

void cross_entropy_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<CrossEntropyParams>();
  const unsigned threads = threads_of_row(params.columns);
  stream.launch(
      "cross_entropy_grad", kernels::cross_entropy_grad, blocks_for_rows(stream, params.rows, threads),
      kernels::CrossEntropyGradArguments{
          rows_of(call, 0, params.columns), static_cast<const std::int32_t*>(address_of(call, 1)), array_of(call, 2),
          array_of(call, 3), rows_of(call, 4, params.columns, call.spec.types[0]), params, threads});
}

}  // namespace amphora::cuda::launchers
