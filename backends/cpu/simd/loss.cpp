// cross_entropy, cross_entropy_grad: on logits, a row a sample.
#include <cmath>
#include <limits>

#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/rows.h"

namespace amphora::cpu::simd {
namespace {

void cross_entropy(const KernelCall& call, Threads& threads) {
  const auto params = call.params<CrossEntropyParams>();
  const RowBlocks blocks = row_blocks();
  const Input logits(call.type_at(op::cross_entropy::logits), data_of(call, op::cross_entropy::logits));
  const auto* targets = data_of<std::int32_t>(call, op::cross_entropy::targets);
  const std::size_t columns = params.columns;
  run_rows(threads, params.rows, columns, [&](std::size_t first, std::size_t rows) {
    const float* x = logits.read(first * columns, rows * columns, scratch_rows(0, rows * columns));
    for (std::size_t row = first; row < first + rows; ++row, x += columns) {
      const float shift = blocks.largest(x, columns);
      // In f64 from here on: the loss is the small difference of two numbers that may be large.
      const double log_sum = shift + std::log(static_cast<double>(blocks.sum_of_exp(x, shift, columns)));
      const std::int64_t target = targets[row];
      const bool valid = target >= 0 && target < static_cast<std::int64_t>(columns);
      const double loss = valid ? log_sum - x[target] : std::numeric_limits<double>::quiet_NaN();
      store_element(call.type_at(op::cross_entropy::loss), data_of(call, op::cross_entropy::loss), row, loss);
      store_element(call.type_at(op::cross_entropy::log_sum_exp), data_of(call, op::cross_entropy::log_sum_exp), row,
                    log_sum);
    }
  });
}

void cross_entropy_grad(const KernelCall& call, Threads& threads) {
  const auto params = call.params<CrossEntropyParams>();
  const RowBlocks blocks = row_blocks();
  const Input logits(call.type_at(op::cross_entropy_grad::logits), data_of(call, op::cross_entropy_grad::logits));
  const auto* targets = data_of<std::int32_t>(call, op::cross_entropy_grad::targets);
  const Output dlogits(call.type_at(op::cross_entropy_grad::logits), data_of(call, op::cross_entropy_grad::dlogits));
  const std::size_t columns = params.columns;
  run_rows(threads, params.rows, columns, [&](std::size_t first, std::size_t rows) {
    const std::size_t begin = first * columns, count = rows * columns;
    const float* x = logits.read(begin, count, scratch_rows(0, count));
    float* const place = dlogits.place(begin, scratch_rows(1, count));
    float* dx = place;
    for (std::size_t row = first; row < first + rows; ++row, x += columns, dx += columns) {
      const std::int64_t target = targets[row];
      if (target < 0 || target >= static_cast<std::int64_t>(columns)) {
        std::fill(dx, dx + columns, 0.0f);
        continue;
      }
      const double log_sum = load_element(call.type_at(op::cross_entropy_grad::log_sum_exp),
                                          data_of(call, op::cross_entropy_grad::log_sum_exp), row);
      const double factor = load_element(call.type_at(op::cross_entropy_grad::dloss),
                                         data_of(call, op::cross_entropy_grad::dloss), row * params.dloss_stride);
      // p - 1 of the target, without cancellation where p is nearly 1. Before dx, which may lie where x does.
      const double missing = std::expm1(x[target] - log_sum);
      blocks.scaled_exp(x, static_cast<float>(log_sum), static_cast<float>(factor), dx, columns);
      dx[target] = static_cast<float>(factor * missing);
    }
    dlogits.write(begin, count, place);
  });
}

}  // namespace

Launcher find_loss(KernelId kernel, const Spec& spec) {
  if (!is_f32_or_16bit(kernel, spec)) return nullptr;
  switch (kernel) {
    case KernelId::cross_entropy: return cross_entropy;
    case KernelId::cross_entropy_grad: return cross_entropy_grad;
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd
