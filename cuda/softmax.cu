// softmax: along rows, shifted by the row's maximum so that exp cannot overflow. What is read again comes from a cache.
#include "cuda/include/rows.cuh"
#include "cuda/include/softmax.h"

namespace amphora::cuda::kernels {

__global__ void __launch_bounds__(kRowThreads) softmax(SoftmaxArguments g) {
  __shared__ float shared[kRowThreads / kWarp];
  const std::uint32_t columns = g.params.columns;
  for_each_row(g.params.rows, g.threads, [&](std::uint32_t row) {
    const float largest = largest_of_row(g.x, row, columns, g.threads, shared);
    const float sum = sum_of_exponentials(g.x, row, columns, largest, g.threads, shared);
    const float log_sum = logf(sum);
    for_each_pack_of_row(row, columns, g.threads, [&](std::size_t i, int n) {
      Pack x = load(g.x, i, n);
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        const float shifted = x.at[k] - largest;
        x.at[k] = g.logarithm ? shifted - log_sum : expf(shifted) / sum;
      }
      store(g.y, i, n, x);
    });
  });
}

__global__ void __launch_bounds__(kRowThreads) softmax_grad(SoftmaxGradArguments g) {
  __shared__ float shared[kRowThreads / kWarp];
  const std::uint32_t columns = g.params.columns;
  for_each_row(g.params.rows, g.threads, [&](std::uint32_t row) {
    float sum = 0.0f;
    for_each_pack_of_row(row, columns, g.threads, [&](std::size_t i, int n) {
      const Pack y = load(g.y, i, n);
      const Pack dy = load(g.dy, i, n);
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        if (k < n) sum += g.logarithm ? dy.at[k] : y.at[k] * dy.at[k];
      }
    });
    sum = joined_in_row(sum, 0.0f, g.threads, shared, Sum());
    for_each_pack_of_row(row, columns, g.threads, [&](std::size_t i, int n) {
      const Pack y = load(g.y, i, n);
      Pack dy = load(g.dy, i, n);
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        dy.at[k] = g.logarithm ? dy.at[k] - expf(y.at[k]) * sum : y.at[k] * (dy.at[k] - sum);
      }
      store(g.dx, i, n, dy);
    });
  });
}

}  // namespace amphora::cuda::kernels
