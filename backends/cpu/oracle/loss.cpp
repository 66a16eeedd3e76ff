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
  const Array logits(call, op::cross_entropy::logits);
  const auto* targets = data_of<std::int32_t>(call, op::cross_entropy::targets);
  const Array loss(call, op::cross_entropy::loss);
  const Array log_sums(call, op::cross_entropy::log_sum_exp);
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
  const Array logits(call, op::cross_entropy_grad::logits);
  const auto* targets = data_of<std::int32_t>(call, op::cross_entropy_grad::targets);
  const Array log_sums(call, op::cross_entropy_grad::log_sum_exp);
  const Array dloss(call, op::cross_entropy_grad::dloss);
  const Array dlogits(call, op::cross_entropy_grad::dlogits, call.type_at(op::cross_entropy_grad::logits));
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
