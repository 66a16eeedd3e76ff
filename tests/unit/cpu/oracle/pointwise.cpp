#include <cmath>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OraclePointwise : public OracleTest {
 protected:
  Values unary(UnaryFunction function, const Values& x, float p0 = 0.0f, float p1 = 0.0f) {
    const Elements in = f64(x);
    const Elements out = f64(Values(x.size()));
    launch(KernelId::unary, spec_of(static_cast<int>(function)), UnaryParams{count_of(x), p0, p1}, {in, out});
    return out.read();
  }

  Values unary_grad(UnaryFunction function, const Values& x, float p0, float p1) {
    const Elements in = f64(x);
    const Elements y = f64(unary(function, x, p0, p1));
    const Elements dy = f64(Values(x.size(), 2.0));
    const Elements dx = f64(Values(x.size()));
    launch(KernelId::unary_grad, spec_of(static_cast<int>(function)), UnaryParams{count_of(x), p0, p1},
           {in, y, dy, dx});
    return dx.read();
  }

  Values binary(BinaryFunction function, const Values& a, const Values& b) {
    const Elements y = f64(Values(a.size()));
    launch(KernelId::binary, spec_of(static_cast<int>(function)), flat(a), {f64(a), f64(b), y});
    return y.read();
  }

  Values binary_grad(BinaryFunction function, const Values& a, const Values& b, bool second) {
    const Elements dy = f64(Values(a.size(), 2.0));
    const Elements dx = f64(Values(a.size()));
    Spec spec = spec_of(static_cast<int>(function));
    spec.flags = second ? kBinaryGradSecond : 0;
    const Elements left = f64(a);
    const Elements right = f64(b);
    launch(KernelId::binary_grad, spec, flat(a), {left, right, dy, dx});
    return dx.read();
  }

  static Spec spec_of(int function) {
    return {.types = {DType::f64, DType::f64, DType::f64, DType::f64}, .function = static_cast<std::uint8_t>(function)};
  }
  static std::uint32_t count_of(const Values& x) { return static_cast<std::uint32_t>(x.size()); }
  static BinaryParams flat(const Values& x) {
    return {.rank = 1, .sizes = {count_of(x)}, .a_strides = {1}, .b_strides = {1}, .dy_strides = {1}};
  }
};

// Points inside every function's domain, off the kinks.
const Values kPoints = {0.1, 0.3, 0.45, 0.7, 0.9};
constexpr double kStep = 1e-5;

Values shifted(Values x, double by) {
  for (double& value : x) value += by;
  return x;
}

Values twice_the_slope(const Values& above, const Values& below) {
  Values slope(above.size());
  for (std::size_t i = 0; i < slope.size(); ++i) slope[i] = (above[i] - below[i]) / kStep;
  return slope;
}

TEST_F(OraclePointwise, UnaryDerivativesMatchFiniteDifferences) {
  for (std::size_t i = 0; i < std::size(kUnaryNames); ++i) {
    SCOPED_TRACE(kUnaryNames[i]);
    const auto function = static_cast<UnaryFunction>(i);
    const Values slope = twice_the_slope(unary(function, shifted(kPoints, kStep), 0.35f, 0.8f),
                                         unary(function, shifted(kPoints, -kStep), 0.35f, 0.8f));
    expect_near(unary_grad(function, kPoints, 0.35f, 0.8f), slope, 1e-7);
  }
}

TEST_F(OraclePointwise, UnaryDerivativesMatchFiniteDifferencesOfNegativeInputs) {
  const UnaryFunction functions[] = {UnaryFunction::relu,     UnaryFunction::leaky_relu, UnaryFunction::gelu,
                                     UnaryFunction::silu,     UnaryFunction::sigmoid,    UnaryFunction::tanh,
                                     UnaryFunction::softplus, UnaryFunction::abs,        UnaryFunction::clamp};
  for (const UnaryFunction function : functions) {
    SCOPED_TRACE(name_of(function));
    const Values points = shifted(kPoints, -1.0);
    const Values slope = twice_the_slope(unary(function, shifted(points, kStep), -0.8f, 0.0f),
                                         unary(function, shifted(points, -kStep), -0.8f, 0.0f));
    expect_near(unary_grad(function, points, -0.8f, 0.0f), slope, 1e-7);
  }
}

TEST_F(OraclePointwise, BinaryDerivativesMatchFiniteDifferences) {
  const Values a = {0.2, 0.4, 0.6, 0.8};
  const Values b = {0.9, 0.1, 0.35, 0.5};
  for (std::size_t i = 0; i < std::size(kBinaryNames); ++i) {
    SCOPED_TRACE(kBinaryNames[i]);
    const auto function = static_cast<BinaryFunction>(i);
    expect_near(binary_grad(function, a, b, false),
                twice_the_slope(binary(function, shifted(a, kStep), b), binary(function, shifted(a, -kStep), b)), 1e-6);
    expect_near(binary_grad(function, a, b, true),
                twice_the_slope(binary(function, a, shifted(b, kStep)), binary(function, a, shifted(b, -kStep))), 1e-6);
  }
}

TEST_F(OraclePointwise, ValuesOfKnownPoints) {
  expect_near(unary(UnaryFunction::gelu, {1.0, -1.0}), {0.8411919906082768, -0.15880800939172324}, 1e-15);
  expect_near(unary(UnaryFunction::silu, {1.0}), {0.7310585786300049}, 1e-15);
  expect_near(unary(UnaryFunction::softplus, {0.0, 100.0, -100.0}), {0.6931471805599453, 100.0, 3.720075976020836e-44},
              1e-15);
  EXPECT_EQ(unary(UnaryFunction::affine, {3.0}, 2.0f, -1.0f), Values{5.0});
  EXPECT_EQ(unary(UnaryFunction::clamp, {-2, 0.5, 2}, -1.0f, 1.0f), (Values{-1, 0.5, 1}));
  expect_near(binary(BinaryFunction::bce_with_logits, {1000, -1000, 0}, {1, 0, 1}), {0, 0, 0.6931471805599453}, 1e-15);
}

TEST_F(OraclePointwise, NaNPassesThroughReluAndClamp) {
  EXPECT_TRUE(std::isnan(unary(UnaryFunction::relu, {kNaN})[0]));
  EXPECT_TRUE(std::isnan(unary(UnaryFunction::clamp, {kNaN}, -1.0f, 1.0f)[0]));
}

TEST_F(OraclePointwise, TypesOfOperandsAndResultMayDiffer) {
  const Elements a = elements(DType::bf16, {1, 2});
  const Elements b = f32({0x1p-12, 3});
  const Elements y = f32({0, 0});
  const Spec spec{.types = {DType::bf16, DType::f32, DType::f32},
                  .function = static_cast<std::uint8_t>(BinaryFunction::add)};
  launch(KernelId::binary, spec, flat({1, 2}), {a, b, y});
  EXPECT_EQ(y.read(), (Values{1 + 0x1p-12, 5}));
}

TEST_F(OraclePointwise, BinaryBroadcastsThroughStridesOfZero) {
  const Elements a = f32({1, 2, 3});  // a row
  const Elements b = f32({10, 20});   // a column
  const Elements y = f32(Values(6));
  launch(KernelId::binary, {.function = static_cast<std::uint8_t>(BinaryFunction::add)},
         BinaryParams{.rank = 2, .sizes = {2, 3}, .a_strides = {0, 1}, .b_strides = {1, 0}, .dy_strides = {}},
         {a, b, y});
  EXPECT_EQ(y.read(), (Values{11, 12, 13, 21, 22, 23}));
}

TEST_F(OraclePointwise, GradientReadsAStridedOutputGradient) {
  const Elements a = f32({1, 2, 3, 4});
  const Elements b = f32({5, 6, 7, 8});
  const Elements dy = f32({1, 10});  // the same for each column
  const Elements dx = f32(Values(4));
  launch(KernelId::binary_grad,
         {.function = static_cast<std::uint8_t>(BinaryFunction::mul), .flags = kBinaryGradSecond},
         BinaryParams{.rank = 2, .sizes = {2, 2}, .a_strides = {2, 1}, .b_strides = {2, 1}, .dy_strides = {1, 0}},
         {a, b, dy, dx});
  EXPECT_EQ(dx.read(), (Values{1, 2, 30, 40}));
}

}  // namespace
}  // namespace amphora::testing
