// unary, unary_grad, binary and binary_grad stay inside the interval that f32 evaluation of their formula allows.
#include <array>
#include <limits>

#include "amphora/kernel/strided.h"
#include "conformance/formulas.h"
#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Pointwise);

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
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};

using BinaryBound = Interval (*)(Interval a, Interval b);
constexpr BinaryBound kBinary[][3] = {
#define AM_BINARY(name, forward, da, db)                                                    \
  {[](Interval a, Interval b) -> Interval { return forward; },                              \
   []([[maybe_unused]] Interval a, [[maybe_unused]] Interval b) -> Interval { return da; }, \
   []([[maybe_unused]] Interval a, [[maybe_unused]] Interval b) -> Interval { return db; }},
#include "amphora/kernel/shared/pointwise.def"
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

void expect_unary_in_bounds(Random& random, std::size_t f, const Mix<2>& mix, std::size_t count) {
  const auto& [from, to] = mix;
  const Array x = inputs(random, from, count, needs_positive(static_cast<UnaryFunction>(f)));
  const UnaryParams params = unary_params(random, count);
  const Spec spec{{from, to}, static_cast<std::uint8_t>(f)};
  const Arrays actual = run_subject(KernelId::unary, spec, params, {x, Array(to, count)});
  if (actual.empty()) return;
  const Array exact = run_oracle(KernelId::unary, spec, params, {x, Array(to, count)})[1];
  for (std::size_t i = 0; i < count; ++i) {
    const Interval bound =
        kUnary[f].forward(Interval::exact(x[i]), {}, Interval::exact(params.p0), Interval::exact(params.p1));
    ASSERT_TRUE(bound.contains(exact[i])) << "the bound for " << x[i] << " misses " << exact[i];
    expect_inside(actual[1], i, bound);
  }
}

TEST_P(Pointwise, Small_UnaryStaysInBounds) {
  const auto mixes = type_mixes<2>(random);
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    for (const Mix<2>& mix : share_of(mixes, f)) {
      for (const std::size_t count : {0, 1, 15, 16, 17, 1500}) expect_unary_in_bounds(random, f, mix, count);
    }
  }
}

// Every function in f32, where no rounding of a store hides its error.
TEST_P(Pointwise, FunctionsOfF32StayInBounds) {
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    for (int repetition = 0; repetition < 3; ++repetition) {
      expect_unary_in_bounds(random, f, {DType::f32, DType::f32}, 20000);
    }
  }
}

void expect_unary_grad_in_bounds(Random& random, std::size_t f, const Mix<3>& mix, std::size_t count) {
  const auto& [x_type, dy_type, dx_type] = mix;
  const Spec forward{{x_type, x_type}, static_cast<std::uint8_t>(f)};
  const Spec spec{{x_type, x_type, dy_type, dx_type}, static_cast<std::uint8_t>(f)};
  const UnaryParams params = unary_params(random, count);
  const Array x = inputs(random, x_type, count, needs_positive(static_cast<UnaryFunction>(f)));
  const Array y = run_oracle_as_is(KernelId::unary, forward, params, {x, Array(x_type, count)})[1];
  const Arrays arrays = {x, y, random.array(dy_type, count), Array(dx_type, count)};
  const Arrays actual = run_subject(KernelId::unary_grad, spec, params, arrays);
  if (actual.empty()) return;
  for (std::size_t i = 0; i < count; ++i) {
    const Interval slope = kUnary[f].derivative(Interval::exact(x[i]), Interval::exact(y[i]),
                                                Interval::exact(params.p0), Interval::exact(params.p1));
    expect_inside(actual[3], i, Interval::exact(arrays[2][i]) * slope);
  }
}

TEST_P(Pointwise, UnaryGradStaysInBounds) {
  const auto mixes = type_mixes<3>(random);
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    for (const Mix<3>& mix : share_of(mixes, f)) {
      for (const std::size_t count : {0, 1, 17, 1200}) expect_unary_grad_in_bounds(random, f, mix, count);
    }
  }
}

TEST_P(Pointwise, SpecialValuesGiveTheKindThatTheOracleGives) {
  const auto mixes = type_mixes<2>(random);
  for (std::size_t f = 0; f < std::size(kUnary); ++f) {
    SCOPED_TRACE(kUnaryNames[f]);
    // f32, and where it compiles the mix that is compiled anyway.
    const Mix<2> mix = Subject::current().compiles() ? share_of(mixes, f)[0] : Mix<2>{DType::f32, DType::f32};
    const std::size_t count = std::size(kSpecials);
    Array x(mix[0], count);
    for (std::size_t i = 0; i < count; ++i) x.set(i, kSpecials[i]);
    const Spec spec{{mix[0], mix[1]}, static_cast<std::uint8_t>(f)};
    const UnaryParams params{static_cast<std::uint32_t>(count), 2.0f, 3.0f};
    const Arrays arrays = {x, Array(mix[1], count)};
    const Arrays actual = run_subject(KernelId::unary, spec, params, arrays);
    if (!actual.empty()) expect_same_kinds(actual[1], run_oracle_as_is(KernelId::unary, spec, params, arrays)[1]);
  }
}

// How b lies in memory: like a, a row for all, one number a row, one number for all, transposed, with gaps.
enum class Layout { same, row, column, scalar, transposed, gaps };
constexpr Layout kLayouts[] = {Layout::same,   Layout::row,        Layout::column,
                               Layout::scalar, Layout::transposed, Layout::gaps};

// Distances between rows and between columns.
std::array<std::uint32_t, 2> strides_of(Layout layout, std::uint32_t rows, std::uint32_t columns) {
  switch (layout) {
    case Layout::same: return {columns, 1};
    case Layout::row: return {0, 1};
    case Layout::column: return {1, 0};
    case Layout::scalar: return {0, 0};
    case Layout::transposed: return {1, rows};
    case Layout::gaps: return {2 * columns, 2};
  }
  return {};
}

struct BinaryCase {
  std::size_t function;
  Layout layout;
  int rows, columns;
  Mix<3> types;  // a, b, and everything else
  bool second;
};

void expect_binary_in_bounds(Random& random, const BinaryCase& c) {
  SCOPED_TRACE(::testing::Message() << kBinaryNames[c.function] << ' ' << c.rows << 'x' << c.columns << " layout "
                                    << static_cast<int>(c.layout));
  const auto& [a_type, b_type, out_type] = c.types;
  const auto rows = static_cast<std::uint32_t>(c.rows);
  const auto columns = static_cast<std::uint32_t>(c.columns);
  BinaryParams params{2, {rows, columns}, {}, {}, {columns, 1}};
  const auto lay_out = [&](Layout layout, Extents& strides) {
    std::ranges::copy(strides_of(layout, rows, columns), strides);
  };
  lay_out(c.second ? Layout::same : c.layout, params.a_strides);
  lay_out(c.second ? c.layout : Layout::same, params.b_strides);
  if (random.coin()) lay_out(c.layout, params.dy_strides);
  const auto count = static_cast<std::size_t>(c.rows) * static_cast<std::size_t>(c.columns);
  const Arrays arrays = {random.array(a_type, 2 * count, 2.0), random.array(b_type, 2 * count, 2.0),
                         random.array(out_type, 2 * count), Array(out_type, count)};
  Spec spec{{a_type, b_type, out_type, out_type}, static_cast<std::uint8_t>(c.function)};
  const Arrays value = run_subject(KernelId::binary, spec, params, {arrays[0], arrays[1], Array(out_type, count)});
  spec.flags = c.second ? kBinaryGradSecond : 0;
  const Arrays slope = run_subject(KernelId::binary_grad, spec, params, arrays);
  for (int i = 0; i < c.rows * c.columns; ++i) {
    const std::int64_t row = i / c.columns;
    const std::int64_t column = i % c.columns;
    const auto at = [row, column](const std::uint32_t* strides) {
      return static_cast<std::size_t>(row * strides[0] + column * strides[1]);
    };
    const Interval a = Interval::exact(arrays[0][at(params.a_strides)]);
    const Interval b = Interval::exact(arrays[1][at(params.b_strides)]);
    const Interval dy = Interval::exact(arrays[2][at(params.dy_strides)]);
    const auto n = static_cast<std::size_t>(i);
    if (!value.empty()) expect_inside(value[2], n, kBinary[c.function][0](a, b));
    if (!slope.empty()) expect_inside(slope[3], n, dy * kBinary[c.function][c.second ? 2 : 1](a, b));
  }
}

constexpr std::array<int, 2> kBinaryShapes[] = {{1, 1}, {3, 5}, {7, 300}, {300, 7}, {2, 1500}};

TEST_P(Pointwise, BinaryAndBinaryGradStayInBoundsForEveryLayout) {
  const bool compiles = Subject::current().compiles();
  const auto mixes = type_mixes<3>(random);
  for (std::size_t f = 0; f < std::size(kBinary); ++f) {
    const auto own = share_of(mixes, f);
    for (const Layout layout : kLayouts) {
      for (const auto& [rows, columns] : kBinaryShapes) {
        expect_binary_in_bounds(random, {f, layout, rows, columns, random.one_of(own), random.coin()});
      }
    }
    // Each function in both directions.
    for (const bool second : {false, true}) {
      if (compiles) expect_binary_in_bounds(random, {f, Layout::same, 5, 13, own[0], second});
    }
  }
}

// Five axes, the most there are.
TEST_P(Pointwise, Small_BinaryWalksFiveAxes) {
  const BinaryParams params{5, {2, 3, 1, 4, 5}, {60, 20, 20, 5, 1}, {0, 1, 0, 3, 0}, {60, 20, 20, 5, 1}};
  const auto function = static_cast<std::uint8_t>(BinaryFunction::mul);
  const Arrays arrays = {random.array(DType::f32, 120), random.array(DType::f32, 12), Array(DType::f32, 120)};
  expect_oracle_bits(KernelId::binary, {{}, function}, params, arrays);
}

TEST_P(Pointwise, NothingIsDoneWhereASizeIsZero) {
  const BinaryParams params{2, {0, 5}, {5, 1}, {5, 1}, {5, 1}};
  run_subject(KernelId::binary, {}, params, {Array(DType::f32, 0), Array(DType::f32, 0), Array(DType::f32, 0)});
  run_subject(KernelId::binary_grad, {}, params,
              {Array(DType::f32, 0), Array(DType::f32, 0), Array(DType::f32, 0), Array(DType::f32, 0)});
}

TEST_P(Pointwise, MaximumAndMinimumPassNanAsTheRowsSay) {
  Array a(DType::f32, 4), b(DType::f32, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    a.set(i, i % 2 == 0 ? kNaN : 1.0);
    b.set(i, i < 2 ? kNaN : 2.0);
  }
  const BinaryParams params{1, {4}, {1}, {1}, {1}};
  for (const BinaryFunction function : {BinaryFunction::maximum, BinaryFunction::minimum}) {
    const Spec spec{{}, static_cast<std::uint8_t>(function)};
    const Arrays actual = run_subject(KernelId::binary, spec, params, {a, b, a});
    if (!actual.empty()) expect_same_kinds(actual[2], run_oracle_as_is(KernelId::binary, spec, params, {a, b, a})[2]);
  }
}

}  // namespace
}  // namespace amphora::conformance
