// cross_entropy and its gradient stay within derived bounds, and treat targets out of range as the vocabulary says.
#include <algorithm>
#include <array>
#include <cmath>

#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Loss);

constexpr std::array<std::uint32_t, 2> kShapes[] = {{1, 1}, {128, 10}, {5, 17}, {3, 2500}, {33, 64}};

Array targets_of(Random& random, std::uint32_t rows, std::uint32_t columns, bool some_invalid) {
  Array targets(DType::i32, rows);
  for (std::size_t row = 0; row < rows; ++row) {
    targets.set(row, static_cast<double>(random.below(columns)));
    if (some_invalid && row % 4 == 1) targets.set(row, -100.0);
    if (some_invalid && row % 4 == 3) targets.set(row, columns);
  }
  return targets;
}

double largest_in_row(const Array& x, std::size_t start, std::size_t columns) {
  double result = -kInfinity;
  for (std::size_t i = start; i < start + columns; ++i) result = std::max(result, x[i]);
  return result;
}

TEST_P(Loss, Small_CrossEntropyIsInBounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const DType type : kFloats) {
      SCOPED_TRACE(::testing::Message() << rows << 'x' << columns << ' ' << name_of(type));
      const Array logits = random.array(type, std::size_t{rows} * columns, 4.0);
      const Array targets = targets_of(random, rows, columns, false);
      const Arrays arrays = {logits, targets, Array(DType::f32, rows), Array(DType::f32, rows)};
      const Spec spec{{type, DType::i32, DType::f32, DType::f32}};
      const CrossEntropyParams params{rows, columns, 0};
      const Arrays actual = run_subject(KernelId::cross_entropy, spec, params, arrays);
      if (actual.empty()) continue;
      const Arrays exact = run_oracle(KernelId::cross_entropy, spec, params, arrays);
      for (std::size_t row = 0; row < rows; ++row) {
        // The relative error of the sum of exponentials: a rounding a term, the function's error and a subtraction
        // within 40 of each.
        double error = kUnit * (columns + 40.0 + 2.0 * 2 * accuracy().exp);
        if (!accuracy().f64_tails) {
          // The logarithm, and two sums of it with the row's maximum and the target's logit.
          const std::size_t start = row * columns;
          const double target = logits[start + static_cast<std::size_t>(targets[row])];
          const double log_sum = std::log(columns);
          error += kUnit * (2.0 * accuracy().log * log_sum +
                            2.0 * (std::abs(largest_in_row(logits, start, columns)) + log_sum + std::abs(target)));
        }
        expect_inside(actual[2], row, Interval::around(exact[2][row], error));
        expect_inside(actual[3], row, Interval::around(exact[3][row], error));
      }
    }
  }
}

void expect_gradient_in_bounds(Random& random, std::uint32_t rows, std::uint32_t columns, DType type,
                               std::uint32_t stride) {
  const std::size_t count = std::size_t{rows} * columns;
  const Array logits = random.array(type, count, 4.0);
  const Array targets = targets_of(random, rows, columns, true);
  const Spec spec{{type, DType::i32, DType::f32, DType::f32}};
  const Arrays forward = run_oracle_as_is(KernelId::cross_entropy, spec, CrossEntropyParams{rows, columns, 0},
                                          {logits, targets, Array(DType::f32, rows), Array(DType::f32, rows)});
  const Arrays arrays = {logits, targets, forward[3], random.array(DType::f32, rows), Array(type, count)};
  const CrossEntropyParams params{rows, columns, stride};
  const Arrays actual = run_subject(KernelId::cross_entropy_grad, spec, params, arrays);
  if (actual.empty()) return;
  // dlogits has the type of logits, so both become f64.
  Arrays wide = arrays;
  wide[0] = logits.as(DType::f64);
  const Spec wide_spec{{DType::f64, DType::i32, DType::f32, DType::f32}};
  const Array exact = run_oracle(KernelId::cross_entropy_grad, wide_spec, params, wide)[4];
  const double function = 2.0 * std::max(accuracy().exp, accuracy().f64_tails ? 0.0 : accuracy().expm1);
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = std::abs(logits[i] - forward[3][i / columns]);
    const double error = kUnit * (distance + 4.0 + function) * std::abs(exact[i]);
    expect_inside(actual[4], i, Interval::around(exact[i], error + kTiny));
  }
}

TEST_P(Loss, Small_GradientIsInBounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const DType type : kFloats) {
      for (const std::uint32_t stride : {0u, 1u}) {
        SCOPED_TRACE(::testing::Message() << rows << 'x' << columns << ' ' << name_of(type) << " stride " << stride);
        expect_gradient_in_bounds(random, rows, columns, type, stride);
      }
    }
  }
}

TEST_P(Loss, ATargetOutOfRangeGivesNanAndNoGradient) {
  const std::uint32_t rows = 8, columns = 5;
  const Array logits = random.array(DType::f32, rows * columns), targets = targets_of(random, rows, columns, true);
  const CrossEntropyParams params{rows, columns, 0};
  const Spec spec{{DType::f32, DType::i32}};
  const Arrays forward = run_subject(KernelId::cross_entropy, spec, params,
                                     {logits, targets, Array(DType::f32, rows), Array(DType::f32, rows)});
  if (forward.empty()) return;
  const Arrays backward =
      run_subject(KernelId::cross_entropy_grad, spec, params,
                  {logits, targets, forward[3], random.array(DType::f32, 1), Array(DType::f32, rows * columns)});
  for (std::size_t row = 0; row < rows; ++row) {
    const bool valid = row % 2 == 0;
    expect(forward[2], std::isnan(forward[2][row]) == !valid, "a loss is NaN where its target is out of range alone");
    expect(forward[3], std::isfinite(forward[3][row]), "the sum does not depend on the target");
    for (std::size_t i = row * columns; !backward.empty() && !valid && i < (row + 1) * columns; ++i) {
      expect_value(backward[4], i, 0.0);
    }
  }
}

TEST_P(Loss, BitsAreRepeatable) {
  const std::uint32_t rows = 64, columns = 3001;
  const Array logits = random.array(DType::f16, std::size_t{rows} * columns);
  expect_repeatable(
      KernelId::cross_entropy, {{DType::f16, DType::i32}}, CrossEntropyParams{rows, columns, 0},
      {logits, targets_of(random, rows, columns, false), Array(DType::f32, rows), Array(DType::f32, rows)});
}

}  // namespace
}  // namespace amphora::conformance
