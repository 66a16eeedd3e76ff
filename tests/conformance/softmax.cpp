// softmax, log_softmax and their gradients stay within derived bounds.
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "conformance/interval.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Softmax);

constexpr std::array<std::uint32_t, 2> kShapes[] = {{1, 1},    {3, 10},   {128, 10}, {5, 16},
                                                    {7, 1000}, {2, 3001}, {40, 257}};

double largest_in_row(const Array& x, std::size_t start, std::size_t columns) {
  double result = -kEndless;
  for (std::size_t i = start; i < start + columns; ++i) result = std::max(result, x[i]);
  return result;
}

TEST_P(Softmax, forward_is_in_bounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kFlagLog}) {
      for (const DType in : kFloats) {
        const DType out = kFloats[random.below(3)];
        SCOPED_TRACE(testing::Message() << rows << 'x' << columns << " log " << int{flags} << ' ' << name_of(in)
                                        << " -> " << name_of(out));
        const Spec spec{{in, out}, 0, flags};
        const std::size_t count = std::size_t{rows} * columns;
        const std::vector<Array> arrays = {random.array(in, count, 5.0), Array(out, count)};
        const RowsParams params{rows, columns};
        const auto exact = run_oracle(KernelId::softmax, spec, params, arrays);
        const auto actual = run_simd(KernelId::softmax, spec, params, arrays);
        for (std::size_t i = 0; i < count; ++i) {
          const double distance = largest_in_row(arrays[0], i / columns * columns, columns) - arrays[0][i];
          // exp(x - max): the subtraction's rounding and an ulp. The sum: the same for its terms, which lie at distance
          // 1 or so on average and weigh less beyond, and a rounding a term. Then the quotient and the product.
          const double sum_error = kUnit * (columns + 2.0 * 2 + 40.0);
          const double exp_error = kUnit * (distance + 2.0);
          const double error = flags == kFlagLog
                                   ? sum_error + kUnit * (distance + std::abs(exact[1][i]) + std::log(columns) + 1)
                                   : std::abs(exact[1][i]) * (sum_error + exp_error + 4 * kUnit) + kTiny;
          expect_inside(actual[1], i, Interval::around(exact[1][i], error));
        }
      }
    }
  }
}

TEST_P(Softmax, gradients_are_in_bounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kFlagLog}) {
      for (const DType type : kFloats) {
        const DType out = kFloats[random.below(3)];
        SCOPED_TRACE(testing::Message() << rows << 'x' << columns << " log " << int{flags} << ' ' << name_of(type));
        const std::size_t count = std::size_t{rows} * columns;
        const RowsParams params{rows, columns};
        const Array x = random.array(type, count, 3.0);
        const Array y =
            run_oracle_as_is(KernelId::softmax, {{type, type}, 0, flags}, params, {x, Array(type, count)})[1];
        const std::vector<Array> arrays = {y, random.array(type, count), Array(out, count)};
        const Spec spec{{type, type, out}, 0, flags};
        const auto exact = run_oracle(KernelId::softmax_grad, spec, params, arrays);
        const auto actual = run_simd(KernelId::softmax_grad, spec, params, arrays);
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t start = i / columns * columns;
          double size = 0.0;
          for (std::size_t j = start; j < start + columns; ++j) {
            size += std::abs(arrays[1][j]) * (flags == kFlagLog ? 1.0 : std::abs(y[j]));
          }
          const double weight = flags == kFlagLog ? std::exp(y[i]) : std::abs(y[i]);
          // The sum's roundings, the exponential's, and three operations around it.
          const double error = kUnit * (weight * size * (columns + 8.0) + 3.0 * std::abs(arrays[1][i]));
          expect_inside(actual[2], i, Interval::around(exact[2][i], error + kTiny));
        }
      }
    }
  }
}

TEST_P(Softmax, infinities_and_nan_give_the_kind_that_the_oracle_gives) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double rows[][3] = {{-kInf, 0.0, 1.0}, {-kInf, -kInf, -kInf}, {kInf, 0.0, 1.0},     {std::nan(""), 0.0, 1.0},
                            {1e4, -1e4, 0.0},  {-3e38, 3e38, 0.0},    {-200.0, 0.0, -104.0}};
  const auto count = std::size(rows) * 3;
  Array x(DType::f32, count);
  for (std::size_t i = 0; i < count; ++i) x.set(i, rows[i / 3][i % 3]);
  for (const std::uint8_t flags : {std::uint8_t{0}, kFlagLog}) {
    const RowsParams params{static_cast<std::uint32_t>(std::size(rows)), 3};
    const auto expected = run_oracle_as_is(KernelId::softmax, {{}, 0, flags}, params, {x, x});
    const auto actual = run_simd(KernelId::softmax, {{}, 0, flags}, params, {x, x});
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(same_kind(actual[1][i], expected[1][i]))
          << "row " << i / 3 << ": " << actual[1][i] << " where the oracle gives " << expected[1][i];
    }
  }
}

TEST_P(Softmax, bits_do_not_depend_on_the_number_of_threads) {
  const std::vector<Array> arrays = {random.array(DType::f16, 300 * 513), Array(DType::f16, 300 * 513)};
  expect_thread_independence(KernelId::softmax, {{DType::f16, DType::f16}}, RowsParams{300, 513}, arrays);
}

}  // namespace
}  // namespace amphora::conformance
