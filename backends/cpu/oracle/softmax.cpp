// softmax: along rows, shifted by the row's maximum so that exp cannot overflow.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/oracle/oracle.h"

namespace amphora::cpu::oracle {

void softmax(const KernelCall& call, Threads&) {
  const auto params = call.params<RowsParams>();
  const bool logarithm = (call.spec.flags & kSoftmaxLog) != 0;
  const Array x(call, op::softmax::x);
  const Array y(call, op::softmax::y);
  for (std::int64_t row = 0; row < params.rows; ++row) {
    const std::int64_t start = row * params.columns;
    const std::int64_t end = start + params.columns;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = start; i < end; ++i) largest = std::max(largest, x[i]);
    double sum = 0.0;
    for (std::int64_t i = start; i < end; ++i) sum += std::exp(x[i] - largest);
    const double log_sum = std::log(sum);
    for (std::int64_t i = start; i < end; ++i) {
      const double shifted = x[i] - largest;
      y.set(i, logarithm ? shifted - log_sum : std::exp(shifted) / sum);
    }
  }
}

void softmax_grad(const KernelCall& call, Threads&) {
  const auto params = call.params<RowsParams>();
  const bool logarithm = (call.spec.flags & kSoftmaxLog) != 0;
  const Array y(call, op::softmax_grad::y);
  const Array dy(call, op::softmax_grad::dy);
  const Array dx(call, op::softmax_grad::dx);
  for (std::int64_t row = 0; row < params.rows; ++row) {
    const std::int64_t start = row * params.columns;
    const std::int64_t end = start + params.columns;
    double sum = 0.0;
    for (std::int64_t i = start; i < end; ++i) sum += logarithm ? dy[i] : y[i] * dy[i];
    for (std::int64_t i = start; i < end; ++i) {
      dx.set(i, logarithm ? dy[i] - std::exp(y[i]) * sum : y[i] * (dy[i] - sum));
    }
  }
}

}  // namespace amphora::cpu::oracle
