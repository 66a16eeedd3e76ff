// loss: cross-entropy on logits, a row a sample.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {
namespace {

double log_sum_exp(const Array& logits, std::int64_t start, std::int64_t end) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = start; i < end; ++i) largest = std::max(largest, logits[i]);
  double sum = 0.0;
  for (std::int64_t i = start; i < end; ++i) sum += std::exp(logits[i] - largest);
  return largest + std::log(sum);
}

}  // namespace

void cross_entropy(const KernelCall& call, Threads&) {
  const auto params = call.params<CrossEntropyParams>();
  const Array logits(call, 0);
  const auto* targets = data_of<std::int32_t>(call, 1);
  const Array loss(call, 2);
  const Array log_sums(call, 3);
  for (std::int64_t row = 0; row < params.rows; ++row) {
    const std::int64_t start = row * params.columns;
    const double log_sum = log_sum_exp(logits, start, start + params.columns);
    const std::int64_t target = targets[row];
    const bool valid = target >= 0 && target < params.columns;
    log_sums.set(row, log_sum);
    loss.set(row, valid ? log_sum - logits[start + target] : std::numeric_limits<double>::quiet_NaN());
  }
}

void cross_entropy_grad(const KernelCall& call, Threads&) {
  const auto params = call.params<CrossEntropyParams>();
  const Array logits(call, 0);
  const auto* targets = data_of<std::int32_t>(call, 1);
  const Array log_sums(call, 2);
  const Array dloss(call, 3);
  const Array dlogits(call, 4, call.spec.types[0]);
  for (std::int64_t row = 0; row < params.rows; ++row) {
    const std::int64_t start = row * params.columns;
    const std::int64_t target = targets[row];
    const bool valid = target >= 0 && target < params.columns;
    const double factor = dloss[row * params.dloss_stride];
    for (std::int64_t j = 0; j < params.columns; ++j) {
      const double probability = std::exp(logits[start + j] - log_sums[row]);
      dlogits.set(start + j, valid ? factor * (probability - (j == target ? 1.0 : 0.0)) : 0.0);
    }
  }
}

}  // namespace amphora::cpu::oracle
