// softmax, log_softmax and their gradients stay within derived bounds.
#include <algorithm>
#include <array>
#include <limits>

#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_FUSED_SUBJECTS(Softmax, KernelId::softmax, KernelId::softmax_grad);

constexpr std::array<std::uint32_t, 2> kShapes[] = {{1, 1},    {3, 10},   {128, 10}, {5, 16},
                                                    {7, 1000}, {2, 3001}, {40, 257}, {2, 9001}};

double largest_in_row(const Array& x, std::size_t start, std::size_t columns) {
  double result = -kInfinity;
  for (std::size_t i = start; i < start + columns; ++i) result = std::max(result, x[i]);
  return result;
}

// Of a softmax, or its logarithm, that is `exact`, at `distance` below the row's maximum.
double error_of(double exact, double distance, double columns, bool logarithm) {
  const Accuracy& a = accuracy();
  // exp(x - max): the subtraction's rounding and the function's own error. The sum: the same for its terms, which lie
  // at distance 1 or so on average and weigh less beyond, and a rounding a term. Then the quotient and the product.
  const double sum_error = kUnit * (columns + 2.0 * 2 * a.exp + 40.0);
  const double exp_error = kUnit * (distance + 2.0 * a.exp);
  if (!logarithm) return std::abs(exact) * (sum_error + exp_error + kUnit * (3 + 2 * a.divide)) + kTiny;
  const double log_error = kUnit * (a.f64_tails ? 1.0 : 2.0 * a.log) * std::log(columns);
  return sum_error + log_error + kUnit * (distance + std::abs(exact) + 1);
}

TEST_P(Softmax, Small_ForwardIsInBounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
      for (const DType in : kFloats) {
        const DType out = random.floating();
        SCOPED_TRACE(::testing::Message() << rows << 'x' << columns << " log " << int{flags} << ' ' << name_of(in)
                                          << " -> " << name_of(out));
        const Spec spec{{in, out}, 0, flags};
        const std::size_t count = std::size_t{rows} * columns;
        const Arrays arrays = {random.array(in, count, 5.0), Array(out, count)};
        const RowsParams params{rows, columns};
        const Arrays actual = run_subject(KernelId::softmax, spec, params, arrays);
        if (actual.empty()) continue;
        const Array exact = run_oracle(KernelId::softmax, spec, params, arrays)[1];
        for (std::size_t start = 0; start < count; start += columns) {
          const double largest = largest_in_row(arrays[0], start, columns);
          for (std::size_t i = start; i < start + columns; ++i) {
            const double error = error_of(exact[i], largest - arrays[0][i], columns, flags == kSoftmaxLog);
            expect_inside(actual[1], i, Interval::around(exact[i], error));
          }
        }
      }
    }
  }
}

// More long rows than a device takes at once.
TEST_P(Softmax, EqualRowsGiveEqualBits) {
  constexpr std::uint32_t kRows = 40, kColumns = 9000;  // each row begins where wide accesses may
  const Array row = random.array(DType::f16, kColumns, 5.0);
  Array x(DType::f16, std::size_t{kRows} * kColumns);
  for (std::size_t i = 0; i < x.count(); ++i) x.set(i, row[i % kColumns]);
  const Spec spec{{DType::f16, DType::f32}, 0, 0};
  const Arrays actual =
      run_subject(KernelId::softmax, spec, RowsParams{kRows, kColumns}, {x, Array(DType::f32, x.count())});
  if (actual.empty()) return;
  for (std::size_t i = kColumns; i < x.count(); ++i) expect_value(actual[1], i, actual[1][i % kColumns]);
}

TEST_P(Softmax, Small_GradientsAreInBounds) {
  for (const auto& [rows, columns] : kShapes) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
      for (const DType type : kFloats) {
        const DType out = random.floating();
        SCOPED_TRACE(::testing::Message() << rows << 'x' << columns << " log " << int{flags} << ' ' << name_of(type));
        const std::size_t count = std::size_t{rows} * columns;
        const RowsParams params{rows, columns};
        const Array x = random.array(type, count, 3.0);
        const Array y =
            run_oracle_as_is(KernelId::softmax, {{type, type}, 0, flags}, params, {x, Array(type, count)})[1];
        const Arrays arrays = {y, random.array(type, count), Array(out, count)};
        const Spec spec{{type, type, out}, 0, flags};
        const Arrays actual = run_subject(KernelId::softmax_grad, spec, params, arrays);
        if (actual.empty()) continue;
        const Array exact = run_oracle(KernelId::softmax_grad, spec, params, arrays)[2];
        for (std::size_t row = 0; row < rows; ++row) {
          const std::size_t start = row * columns;
          double size = 0.0;
          for (std::size_t j = start; j < start + columns; ++j) {
            size += std::abs(arrays[1][j]) * (flags == kSoftmaxLog ? 1.0 : std::abs(y[j]));
          }
          for (std::size_t i = start; i < start + columns; ++i) {
            const double weight = flags == kSoftmaxLog ? std::exp(y[i]) : std::abs(y[i]);
            // The sum's roundings, the exponential's, and three operations around it.
            const double roundings = columns + 6.0 + 2.0 * accuracy().exp;
            const double error = kUnit * (weight * size * roundings + 3.0 * std::abs(arrays[1][i]));
            expect_inside(actual[2], i, Interval::around(exact[i], error + kTiny));
          }
        }
      }
    }
  }
}

// Rows that any order of summation adds up exactly: a column that is left out shows.
TEST_P(Softmax, EqualLogitsShareEqually) {
  for (const std::uint32_t columns : {1u, 2u, 64u, 256u, 4096u}) {
    Array x(DType::f32, 3 * std::size_t{columns});
    for (std::size_t i = 0; i < x.count(); ++i) {
      const std::size_t row = i / columns;
      x.set(i, static_cast<double>(row));
    }
    const Arrays actual = run_subject(KernelId::softmax, {}, RowsParams{3, columns}, {x, x});
    const Interval share =
        Interval::exact(1.0) / Interval::exact(columns) * Interval::exact(1.0).widened(2 * accuracy().exp * kUlp);
    for (std::size_t i = 0; !actual.empty() && i < x.count(); ++i) expect_inside(actual[1], i, share);
  }
}

TEST_P(Softmax, InfinitiesAndNanGiveTheKindThatTheOracleGives) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double rows[][3] = {{-kInf, 0.0, 1.0}, {-kInf, -kInf, -kInf}, {kInf, 0.0, 1.0},     {std::nan(""), 0.0, 1.0},
                            {1e4, -1e4, 0.0},  {-3e38, 3e38, 0.0},    {-200.0, 0.0, -104.0}};
  // Apart from each other too, where a backend takes long rows another way.
  for (const std::uint32_t columns : {3u, 9000u}) {
    const RowsParams params{static_cast<std::uint32_t>(std::size(rows)), columns};
    Array x(DType::f32, std::size(rows) * columns);
    for (std::size_t i = 0; i < x.count(); ++i) x.set(i, -kInf);
    for (std::size_t i = 0; i < std::size(rows) * 3; ++i) x.set(i * (columns / 3), rows[i / 3][i % 3]);
    for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
      const Arrays actual = run_subject(KernelId::softmax, {{}, 0, flags}, params, {x, x});
      if (actual.empty()) continue;
      expect_same_kinds(actual[1], run_oracle_as_is(KernelId::softmax, {{}, 0, flags}, params, {x, x})[1]);
    }
  }
}

TEST_P(Softmax, NoRowsAreNoWork) {
  for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
    const Arrays arrays = {Array(DType::f16, 0), Array(DType::f16, 0)};
    run_subject(KernelId::softmax, {{DType::f16, DType::f16}, 0, flags}, RowsParams{0, 5}, arrays);
  }
}

TEST_P(Softmax, BitsAreRepeatable) {
  const Arrays arrays = {random.array(DType::f16, 300 * 513), Array(DType::f16, 300 * 513)};
  expect_repeatable(KernelId::softmax, {{DType::f16, DType::f16}}, RowsParams{300, 513}, arrays);
}

}  // namespace
}  // namespace amphora::conformance
