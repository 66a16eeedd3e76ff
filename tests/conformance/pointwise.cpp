// unary, unary_grad, binary and binary_grad stay inside the interval that f32 evaluation of their formula allows.
#include <array>
#include <vector>

#include "conformance/interval.h"

// The formulas over intervals, with the errors in units in the last place that Highway documents for its functions;
// log1p is built on Log here, a division and a product, each of which adds a rounding.
#define C(value) Interval::exact(static_cast<float>(value))
#define SELECT(condition, yes, no) select(condition, yes, no)
#define LESS(a, b) less(a, b)
#define EXP(x) monotone(x, 1, [](double v) { return std::exp(v); })
#define EXPM1(x) monotone(x, 4, [](double v) { return std::expm1(v); })
#define LOG(x) monotone(x, 4, [](double v) { return std::log(v); })
#define LOG1P(x) monotone(x, 6, [](double v) { return std::log1p(v); })
#define SQRT(x) monotone(x, 1, [](double v) { return std::sqrt(v); })
#define TANH(x) monotone(x, 4, [](double v) { return std::tanh(v); })
#define SIN(x) gentle(x, 3, [](double v) { return std::sin(v); })
#define COS(x) gentle(x, 3, [](double v) { return std::cos(v); })
#define ABS(x) absolute(x)
#define POW(x, p) power(x, p)

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Pointwise);

using UnaryBound = Interval (*)(Interval x, Interval y, Interval p0, Interval p1);
struct UnaryRow {
  UnaryBound forward, derivative;
};
constexpr UnaryRow kUnary[] = {
#define AM_UNARY(name, forward, derivative)                                                           \
  {[](Interval x, Interval, [[maybe_unused]] Interval p0, [[maybe_unused]] Interval p1) -> Interval { \
     return forward;                                                                                  \
   },                                                                                                 \
   []([[maybe_unused]] Interval x, [[maybe_unused]] Interval y, [[maybe_unused]] Interval p0,         \
      [[maybe_unused]] Interval p1) -> Interval { return derivative; }},
#include "kernel/shared/pointwise.def"
#undef AM_UNARY
};

using BinaryBound = Interval (*)(Interval a, Interval b);
constexpr BinaryBound kBinary[][3] = {
#define AM_BINARY(name, forward, da, db)                                                    \
  {[](Interval a, Interval b) -> Interval { return forward; },                              \
   []([[maybe_unused]] Interval a, [[maybe_unused]] Interval b) -> Interval { return da; }, \
   []([[maybe_unused]] Interval a, [[maybe_unused]] Interval b) -> Interval { return db; }},
#include "kernel/shared/pointwise.def"
#undef AM_BINARY
};

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kSpecials[] = {0.0,  -0.0,  1.0,   -1.0,   kInf,  -kInf,  kNaN, 0x1p-24, 65504.0, -65504.0,
                                20.0, -20.0, 103.0, -103.0, 104.5, -105.0, 1e4,  -1e4,    40000.0, 0x1p-14};

// Values of every magnitude, then the special ones where they fit.
Array inputs(Random& random, DType type, std::size_t count, bool positive) {
  Array x(type, count);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = random.normal() * std::exp2(static_cast<double>(random.below(12)) - 7.0);
    x.set(i, positive ? std::abs(value) : value);
  }
  return x;
}

bool needs_positive(UnaryFunction function) {
  return function == UnaryFunction::log || function == UnaryFunction::sqrt || function == UnaryFunction::rsqrt ||
         function == UnaryFunction::log1p || function == UnaryFunction::pow;
}

UnaryParams unary_params(Random& random, std::size_t count) {
  const auto low = static_cast<float>(random.normal());
  return {static_cast<std::uint32_t>(count), low, low + 1.0f};
}

TEST_P(Pointwise, unary_stays_in_bounds) {
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    for (const DType from : kFloats) {
      for (const DType to : kFloats) {
        for (const std::size_t count : {1, 15, 16, 17, 1500}) {
          const Array x = inputs(random, from, count, needs_positive(static_cast<UnaryFunction>(f)));
          const UnaryParams params = unary_params(random, count);
          const Spec spec{{from, to}, static_cast<std::uint8_t>(f)};
          const auto exact = run_oracle(KernelId::unary, spec, params, {x, Array(to, count)});
          const auto actual = run_simd(KernelId::unary, spec, params, {x, Array(to, count)});
          for (std::size_t i = 0; i < count; ++i) {
            const Interval bound =
                kUnary[f].forward(Interval::exact(x[i]), {}, Interval::exact(params.p0), Interval::exact(params.p1));
            ASSERT_TRUE(bound.contains(exact[1][i])) << "the bound for " << x[i] << " misses " << exact[1][i];
            expect_inside(actual[1], i, bound);
          }
        }
      }
    }
  }
}

TEST_P(Pointwise, unary_grad_stays_in_bounds) {
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    for (const DType x_type : kFloats) {
      for (const DType dx_type : kFloats) {
        for (const std::size_t count : {1, 17, 1200}) {
          const DType dy_type = kFloats[random.below(3)];
          const Spec forward{{x_type, x_type}, static_cast<std::uint8_t>(f)};
          const Spec spec{{x_type, x_type, dy_type, dx_type}, static_cast<std::uint8_t>(f)};
          const UnaryParams params = unary_params(random, count);
          const Array x = inputs(random, x_type, count, needs_positive(static_cast<UnaryFunction>(f)));
          const Array y = run_oracle_as_is(KernelId::unary, forward, params, {x, Array(x_type, count)})[1];
          const std::vector<Array> arrays = {x, y, random.array(dy_type, count), Array(dx_type, count)};
          const auto actual = run_simd(KernelId::unary_grad, spec, params, arrays);
          for (std::size_t i = 0; i < count; ++i) {
            const Interval slope = kUnary[f].derivative(Interval::exact(x[i]), Interval::exact(y[i]),
                                                        Interval::exact(params.p0), Interval::exact(params.p1));
            expect_inside(actual[3], i, Interval::exact(arrays[2][i]) * slope);
          }
        }
      }
    }
  }
}

TEST_P(Pointwise, special_values_give_the_kind_that_the_oracle_gives) {
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    const std::size_t count = std::size(kSpecials);
    Array x(DType::f32, count);
    for (std::size_t i = 0; i < count; ++i) x.set(i, kSpecials[i]);
    const Spec spec{{DType::f32, DType::f32, DType::f32, DType::f32}, static_cast<std::uint8_t>(f)};
    const UnaryParams params{static_cast<std::uint32_t>(count), 2.0f, 3.0f};
    const auto expected = run_oracle_as_is(KernelId::unary, spec, params, {x, x});
    const auto actual = run_simd(KernelId::unary, spec, params, {x, x});
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(same_kind(actual[1][i], expected[1][i]))
          << x[i] << " gives " << actual[1][i] << " where the oracle gives " << expected[1][i];
    }
  }
}

// How b lies in memory: like a, a row for all, one number a row, one number for all, transposed, with gaps.
enum class Layout { same, row, column, scalar, transposed, gaps };
constexpr Layout kLayouts[] = {Layout::same,   Layout::row,        Layout::column,
                               Layout::scalar, Layout::transposed, Layout::gaps};

void lay_out(Layout layout, int rows, int columns, std::int32_t* strides) {
  switch (layout) {
    case Layout::same: strides[0] = columns, strides[1] = 1; break;
    case Layout::row: strides[0] = 0, strides[1] = 1; break;
    case Layout::column: strides[0] = 1, strides[1] = 0; break;
    case Layout::scalar: strides[0] = 0, strides[1] = 0; break;
    case Layout::transposed: strides[0] = 1, strides[1] = rows; break;
    case Layout::gaps: strides[0] = 2 * columns, strides[1] = 2; break;
  }
}

TEST_P(Pointwise, binary_and_binary_grad_stay_in_bounds_for_every_layout) {
  for (const auto& [rows, columns] : std::vector<std::array<int, 2>>{{1, 1}, {3, 5}, {7, 300}, {300, 7}, {2, 1500}}) {
    for (const Layout layout : kLayouts) {
      for (std::size_t f = 0; f < std::size(kBinary); ++f) {
        SCOPED_TRACE(testing::Message() << kBinaryNames[f] << ' ' << rows << 'x' << columns << " layout "
                                        << static_cast<int>(layout));
        const DType a_type = kFloats[random.below(3)], b_type = kFloats[random.below(3)];
        const DType out_type = kFloats[random.below(3)];
        const bool second = random.below(2) == 1;
        BinaryParams params{2, {rows, columns}, {}, {}, {columns, 1}};
        lay_out(second ? Layout::same : layout, rows, columns, params.a_strides);
        lay_out(second ? layout : Layout::same, rows, columns, params.b_strides);
        if (random.below(2) == 1) lay_out(layout, rows, columns, params.dy_strides);
        const auto count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
        const std::vector<Array> arrays = {random.array(a_type, 2 * count, 2.0), random.array(b_type, 2 * count, 2.0),
                                           random.array(out_type, 2 * count), Array(out_type, count)};
        Spec spec{{a_type, b_type, out_type, out_type}, static_cast<std::uint8_t>(f)};
        const auto value = run_simd(KernelId::binary, spec, params, {arrays[0], arrays[1], Array(out_type, count)});
        spec.flags = second ? kFlagSecond : 0;
        const auto slope = run_simd(KernelId::binary_grad, spec, params, arrays);
        for (int i = 0; i < rows * columns; ++i) {
          const std::int64_t row = i / columns;
          const std::int64_t column = i % columns;
          const auto at = [row, column](const std::int32_t* strides) {
            return static_cast<std::size_t>(row * strides[0] + column * strides[1]);
          };
          const Interval a = Interval::exact(arrays[0][at(params.a_strides)]);
          const Interval b = Interval::exact(arrays[1][at(params.b_strides)]);
          const Interval dy = Interval::exact(arrays[2][at(params.dy_strides)]);
          expect_inside(value[2], static_cast<std::size_t>(i), kBinary[f][0](a, b));
          expect_inside(slope[3], static_cast<std::size_t>(i), dy * kBinary[f][second ? 2 : 1](a, b));
        }
      }
    }
  }
}

TEST_P(Pointwise, maximum_and_minimum_pass_nan_as_the_rows_say) {
  Array a(DType::f32, 4), b(DType::f32, 4);
  for (std::size_t i = 0; i < 4; ++i) a.set(i, i % 2 == 0 ? kNaN : 1.0), b.set(i, i < 2 ? kNaN : 2.0);
  const BinaryParams params{1, {4}, {1}, {1}, {1}};
  for (const BinaryFunction function : {BinaryFunction::maximum, BinaryFunction::minimum}) {
    const Spec spec{{}, static_cast<std::uint8_t>(function)};
    const auto expected = run_oracle_as_is(KernelId::binary, spec, params, {a, b, a});
    const auto actual = run_simd(KernelId::binary, spec, params, {a, b, a});
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(same_kind(actual[2][i], expected[2][i])) << i;
  }
}

}  // namespace
}  // namespace amphora::conformance
