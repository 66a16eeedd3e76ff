// loss: cross-entropy on logits, a row a sample.
#include "cuda/include/loss.h"
#include "cuda/include/rows.cuh"
#include "cuda/include/tail.cuh"

namespace amphora::cuda::kernels {

__global__ void __launch_bounds__(kRowThreads) cross_entropy(CrossEntropyArguments g) {
  __shared__ float shared[kRowThreads / kWarp];
  const std::uint32_t columns = g.params.columns;
  for_each_row(g.params.rows, g.threads, [&](std::uint32_t row) {
    const float largest = largest_of_row(g.logits, row, columns, g.threads, shared);
    const float sum = sum_of_exponentials(g.logits, row, columns, largest, g.threads, shared);
    if (threadIdx.x % g.threads != 0) return;
    const double log_sum = static_cast<double>(largest) + log(static_cast<double>(sum));
    const std::int32_t target = g.targets[row];
    const bool valid = target >= 0 && static_cast<std::uint32_t>(target) < columns;
    store(g.log_sum_exp, row, log_sum);
    const std::size_t at = std::size_t{row} * columns + static_cast<std::uint32_t>(valid ? target : 0);
    if (valid) {
      store(g.loss, row, log_sum - static_cast<double>(load(g.logits, at)));
    } else {
      store(g.loss, row, float_of(0x7FC00000u));
    }
  });
}

__global__ void __launch_bounds__(kRowThreads) cross_entropy_grad(CrossEntropyGradArguments g) {
  const std::uint32_t columns = g.params.columns;
  for_each_row(g.params.rows, g.threads, [&](std::uint32_t row) {
    const std::int32_t target = g.targets[row];
    const bool valid = target >= 0 && static_cast<std::uint32_t>(target) < columns;
    const float log_sum = load(g.log_sum_exp, row);
    const float factor = load(g.dloss, std::size_t{row} * g.params.dloss_stride);
    const std::size_t begin = std::size_t{row} * columns;
    for_each_pack_of_row(row, columns, g.threads, [&](std::size_t i, int n) {
      Pack x = load(g.logits, i, n);
      const auto first = static_cast<std::int64_t>(i - begin);
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        const float probability = expf(x.at[k] - log_sum);
        x.at[k] = valid ? factor * (first + k == target ? probability - 1.0f : probability) : 0.0f;
      }
      store(g.dlogits, i, n, x);
    });
  });
}

}  // namespace amphora::cuda::kernels
