// loss: cross-entropy on logits, a row a sample.
#include "cuda/include/loss.h"
#include "cuda/include/rounding.cuh"
#include "cuda/include/rows.cuh"

namespace amphora::cuda::kernels {
namespace {

// What the gradients of a row share.
struct RowOfGradients {
  float log_sum;
  float factor;
  std::uint32_t target;
};

__device__ RowOfGradients row_of_gradients(const CrossEntropyGradArguments& a, std::size_t row) {
  const auto target = static_cast<std::uint32_t>(a.targets[row]);  // a negative one lies above every column
  return {load(a.log_sum_exp, row), load(a.dloss, row * a.params.dloss_stride), target};
}

}  // namespace

__global__ void __launch_bounds__(kBlock) cross_entropy(CrossEntropyArguments a) {
  for_each_row(a.tiling, a.params.rows, a.params.columns, [&](std::size_t index, const Row& row, unsigned lane) {
    const RowStatistics statistics = statistics_of(a.logits, row, lane, a.tiling.lanes);
    if (lane != 0 || index >= a.params.rows) return;
    const double log_sum = log(a.params.columns == 0 ? 0.0 : static_cast<double>(statistics.sum));
    const double whole = statistics.largest + log_sum;
    store_once(a.log_sum_exp, index, whole);
    const auto target = static_cast<std::uint32_t>(a.targets[index]);  // a negative one lies above every column
    const bool valid = target < a.params.columns;
    store_once(a.loss, index, valid ? whole - load(a.logits, row.begin + target) : NAN);
  });
}

// Each logit on its own, so packs may reach over the ends of rows.
__global__ void __launch_bounds__(kBlock) cross_entropy_grad(CrossEntropyGradArguments a) {
  const std::size_t columns = a.params.columns;
  const std::size_t count = a.params.rows * columns;
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x * kPack;
  for (std::size_t i = (std::size_t{blockIdx.x} * blockDim.x + threadIdx.x) * kPack; i < count; i += stride) {
    const int n = static_cast<int>(count - i < kPack ? count - i : kPack);
    Pack pack = load(a.logits, i, n);
    std::size_t row = i / columns;
    std::size_t column = i - row * columns;
    RowOfGradients shared = row_of_gradients(a, row);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k >= n) break;
      if (column == columns) {
        column = 0;
        shared = row_of_gradients(a, ++row);
      }
      const float distance = pack.at[k] - shared.log_sum;
      // p - 1 of the target, without cancellation where p is nearly 1.
      const float probability = column == shared.target ? expm1f(distance) : expf(distance);
      pack.at[k] = shared.target < columns ? shared.factor * probability : 0.0f;
      ++column;
    }
    store(a.dlogits, i, n, pack);
  }
}

}  // namespace amphora::cuda::kernels
