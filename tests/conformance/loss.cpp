// cross_entropy and its gradient stay within derived bounds, and treat targets out of range as the vocabulary says.
#include <algorithm>
#include <array>
#include <vector>

#include "conformance/interval.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Loss);

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

TEST_P(Loss, cross_entropy_is_in_bounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const DType type : kFloats) {
      SCOPED_TRACE(testing::Message() << rows << 'x' << columns << ' ' << name_of(type));
      const std::vector<Array> arrays = {random.array(type, std::size_t{rows} * columns, 4.0),
                                         targets_of(random, rows, columns, false), Array(DType::f32, rows),
                                         Array(DType::f32, rows)};
      const Spec spec{{type, DType::i32, DType::f32, DType::f32}};
      const CrossEntropyParams params{rows, columns, 0};
      const auto exact = run_oracle(KernelId::cross_entropy, spec, params, arrays);
      const auto actual = run_simd(KernelId::cross_entropy, spec, params, arrays);
      for (std::size_t row = 0; row < rows; ++row) {
        // The relative error of the sum of exponentials: a rounding a term, an ulp and a subtraction within 40 of each.
        const double error = kUnit * (columns + 44.0);
        expect_inside(actual[2], row, Interval::around(exact[2][row], error));
        expect_inside(actual[3], row, Interval::around(exact[3][row], error));
      }
    }
  }
}

TEST_P(Loss, gradient_is_in_bounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const DType type : kFloats) {
      for (const std::uint32_t stride : {0u, 1u}) {
        SCOPED_TRACE(testing::Message() << rows << 'x' << columns << ' ' << name_of(type) << " stride " << stride);
        const std::size_t count = std::size_t{rows} * columns;
        const Array logits = random.array(type, count, 4.0);
        const Array targets = targets_of(random, rows, columns, true);
        const auto forward = run_oracle_as_is(KernelId::cross_entropy, {{type, DType::i32, DType::f32, DType::f32}},
                                              CrossEntropyParams{rows, columns, 0},
                                              {logits, targets, Array(DType::f32, rows), Array(DType::f32, rows)});
        const std::vector<Array> arrays = {logits, targets, forward[3], random.array(DType::f32, rows),
                                           Array(type, count)};
        const Spec spec{{type, DType::i32, DType::f32, DType::f32}};
        const CrossEntropyParams params{rows, columns, stride};
        // dlogits has the type of logits, so both become f64.
        std::vector<Array> wide = arrays;
        wide[0] = logits.as(DType::f64);
        const Spec wide_spec{{DType::f64, DType::i32, DType::f32, DType::f32}};
        const auto exact = run_oracle(KernelId::cross_entropy_grad, wide_spec, params, wide);
        const auto actual = run_simd(KernelId::cross_entropy_grad, spec, params, arrays);
        for (std::size_t i = 0; i < count; ++i) {
          const double distance = std::abs(logits[i] - forward[3][i / columns]);
          const double error = kUnit * (distance + 6.0) * std::abs(exact[4][i]);
          expect_inside(actual[4], i, Interval::around(exact[4][i], error + kTiny));
        }
      }
    }
  }
}

TEST_P(Loss, a_target_out_of_range_gives_nan_and_no_gradient) {
  const std::uint32_t rows = 8, columns = 5;
  const Array logits = random.array(DType::f32, rows * columns), targets = targets_of(random, rows, columns, true);
  const CrossEntropyParams params{rows, columns, 0};
  const auto forward = run_simd(KernelId::cross_entropy, {{DType::f32, DType::i32}}, params,
                                {logits, targets, Array(DType::f32, rows), Array(DType::f32, rows)});
  const auto backward =
      run_simd(KernelId::cross_entropy_grad, {{DType::f32, DType::i32}}, params,
               {logits, targets, forward[3], random.array(DType::f32, 1), Array(DType::f32, rows * columns)});
  for (std::size_t row = 0; row < rows; ++row) {
    const bool valid = row % 2 == 0;
    EXPECT_EQ(std::isnan(forward[2][row]), !valid) << row;
    EXPECT_TRUE(std::isfinite(forward[3][row])) << row;
    for (std::size_t i = row * columns; !valid && i < (row + 1) * columns; ++i) EXPECT_EQ(backward[4][i], 0.0) << i;
  }
}

}  // namespace
}  // namespace amphora::conformance
