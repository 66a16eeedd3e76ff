// Values of the pointwise ops, in every type, with broadcasting and on views.
#include <cmath>
#include <functional>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

double rounded(double value, DType type) {
  alignas(8) std::byte memory[8];
  store_element(type, memory, 0, value);
  return load_element(type, memory, 0);
}

// A unit in the last place of each type, relative to the value.
double unit_of(DType type) {
  if (type == DType::f16) return 0x1p-11;
  if (type == DType::bf16) return 0x1p-8;
  return type == DType::f32 ? 0x1p-24 : 0x1p-53;
}

class OpsPointwise : public CpuTest {};
AMPHORA_ON_CPU(OpsPointwise);

double softplus_reference(double x) { return x > 20 ? x : std::log1p(std::exp(x)); }
double gelu_reference(double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }
double sigmoid_reference(double x) { return 1 / (1 + std::exp(-x)); }

TEST_P(OpsPointwise, FunctionsInEveryType) {
  struct Case {
    const char* name;
    Tensor (*op)(const Tensor&);
    double (*reference)(double);
    double low, high;
  };
  const Case cases[] = {
      {"relu", relu, [](double x) { return x < 0 ? 0 : x; }, -4, 4},
      {"gelu", gelu, gelu_reference, -4, 4},
      {"silu", silu, [](double x) { return x * sigmoid_reference(x); }, -4, 4},
      {"sigmoid", sigmoid, sigmoid_reference, -8, 8},
      {"tanh", amphora::tanh, [](double x) { return std::tanh(x); }, -4, 4},
      {"softplus", softplus, softplus_reference, -8, 30},
      {"exp", amphora::exp, [](double x) { return std::exp(x); }, -8, 8},
      {"expm1", amphora::expm1, [](double x) { return std::expm1(x); }, -2, 2},
      {"log", amphora::log, [](double x) { return std::log(x); }, 0.01, 100},
      {"log1p", amphora::log1p, [](double x) { return std::log1p(x); }, -0.9, 10},
      {"sqrt", amphora::sqrt, [](double x) { return std::sqrt(x); }, 0, 100},
      {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.01, 100},
      {"reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.1, 10},
      {"sin", amphora::sin, [](double x) { return std::sin(x); }, -6, 6},
      {"cos", amphora::cos, [](double x) { return std::cos(x); }, -6, 6},
      {"abs", amphora::abs, [](double x) { return std::abs(x); }, -4, 4},
      {"square", square, [](double x) { return x * x; }, -4, 4},
  };
  Random random;
  for (const Case& c : cases) {
    for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
      const Tensor x = tensor({3, 47}, random.uniforms(141, c.low, c.high), type);
      const Values inputs = x.to_doubles();
      const Values got = c.op(x).to_doubles();
      // Computed in f32 with functions that are good to a few units of it; the composed ones have intermediates up to
      // 2^3 times as large as the result. Then rounded to the type. Below 1/8 the bound is absolute.
      const double wide = type == DType::f64 ? 0x1p-53 : 0x1p-24;
      const double tolerance = 128 * wide + (type == DType::f32 ? 0 : unit_of(type));
      for (std::size_t i = 0; i < got.size(); ++i) {
        const double want = c.reference(inputs[i]);
        ASSERT_NEAR(got[i], want, tolerance * std::max(std::abs(want), 0.125))
            << c.name << "(" << inputs[i] << ") in " << name_of(type);
      }
    }
  }
}

TEST_P(OpsPointwise, FunctionsWithConstants) {
  const Tensor x = vector({-2, -0.5, 0, 0.5, 2});
  EXPECT_TRUE(same_values(leaky_relu(x, 0.25f), {-0.5, -0.125, 0, 0.5, 2}));
  EXPECT_TRUE(same_values(clamp(x, -1, 1), {-1, -0.5, 0, 0.5, 1}));
  EXPECT_TRUE(same_values(affine(x, 2, 1), {-3, 0, 1, 2, 5}));
  EXPECT_TRUE(same_values(-x, {2, 0.5, -0.0, -0.5, -2}));
  EXPECT_TRUE(same_values(amphora::pow(vector({2, 3, 4}), 2), {4, 9, 16}));
  EXPECT_TRUE(same_values(x * 2.0f + 1.0f, {-3, 0, 1, 2, 5}));
  EXPECT_TRUE(same_values(1.0f - x, {3, 1.5, 1, 0.5, -1}));
  EXPECT_TRUE(same_values(x / 2.0f - 1.0f, {-2, -1.25, -1, -0.75, 0}));
}

TEST_P(OpsPointwise, NanIsKept) {
  const Tensor x = vector({kNan, 1});
  for (Tensor (*op)(const Tensor&) : {relu, gelu, silu, sigmoid, amphora::tanh, softplus, amphora::exp, amphora::log,
                                      amphora::sqrt, amphora::abs, square}) {
    EXPECT_TRUE(std::isnan(op(x).to_doubles()[0]));
  }
  EXPECT_TRUE(std::isnan(clamp(x, -1, 1).to_doubles()[0]));
  EXPECT_TRUE(std::isnan(leaky_relu(x).to_doubles()[0]));
  for (const double other : {1.0, -1.0, 0.5, kInf, -kInf}) {
    for (Tensor (*op)(const Tensor&, const Tensor&) : {maximum, minimum}) {
      EXPECT_TRUE(same_values(op(vector({kNan}), vector({other})), {kNan}));
      EXPECT_TRUE(same_values(op(vector({other}), vector({kNan})), {kNan}));
    }
  }
}

TEST_P(OpsPointwise, MaximumAndMinimumOfExtremes) {
  const Tensor a = vector({kInf, -kInf, 0.5, 3, 3});
  const Tensor b = vector({kInf, kInf, 0.25, -kInf, 4});
  EXPECT_TRUE(same_values(maximum(a, b), {kInf, kInf, 0.5, 3, 4}));
  EXPECT_TRUE(same_values(minimum(a, b), {kInf, -kInf, 0.25, -kInf, 3}));
}

TEST_P(OpsPointwise, ArithmeticInEveryPairOfTypes) {
  Random random;
  for (const DType ta : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    for (const DType tb : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
      const Tensor a = vector(random.normals(53), ta);
      const Tensor b = vector(random.uniforms(53, 0.5, 2), tb);
      const DType type = promote(ta, tb);
      const auto check = [&](const Tensor& got, const std::function<double(double, double)>& f) {
        ASSERT_EQ(got.dtype(), type);
        const Values x = a.to_doubles();
        const Values y = b.to_doubles();
        const Values z = got.to_doubles();
        for (std::size_t i = 0; i < z.size(); ++i) {
          // One exact operation in f32 (f64), rounded to the type.
          const double want = type == DType::f64 ? f(x[i], y[i]) : rounded(static_cast<float>(f(x[i], y[i])), type);
          ASSERT_EQ(z[i], want) << name_of(ta) << " with " << name_of(tb);
        }
      };
      check(a + b, std::plus<>());
      check(a - b, std::minus<>());
      check(a * b, std::multiplies<>());
      check(a / b, std::divides<>());
      check(maximum(a, b), [](double x, double y) { return std::max(x, y); });
      check(minimum(a, b), [](double x, double y) { return std::min(x, y); });
    }
  }
}

TEST_P(OpsPointwise, OperandsBroadcast) {
  const Tensor grid = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same_values(grid + vector({10, 20, 30}), {11, 22, 33, 14, 25, 36}));
  EXPECT_TRUE(same_values(grid * tensor({2, 1}, {1, -1}), {1, 2, 3, -4, -5, -6}));
  EXPECT_TRUE(same_values(tensor({2, 1}, {1, 2}) - vector({1, 2}), {0, -1, 1, 0}));
  EXPECT_TRUE(same_values(scalar(1) / vector({1, 2, 4}), {1, 0.5, 0.25}));
  EXPECT_TRUE(same_values(transpose(grid) + grid.view({3, 2}, {2, 1, 0, 0, 0}, 0), {2, 6, 5, 9, 8, 12}));
  EXPECT_TRUE(
      same_values(tensor({2, 1, 2}, {1, 2, 3, 4}) + tensor({2, 1}, {10, 20}), {11, 12, 21, 22, 13, 14, 23, 24}));
  EXPECT_EQ(message_of([&] {
              add(grid, vector({1, 2}));
            }),
            "shapes [2, 3] and [2] do not broadcast: axis 1 from the end has 3 and 2");
}

TEST_P(OpsPointwise, ManyAxesOfStridedOperands) {
  Random random;
  const Tensor a = tensor({2, 3, 2, 3, 2}, random.normals(72));
  const Tensor b = tensor({3, 1, 3, 1}, random.normals(9));
  const Tensor swapped = transpose(a, 0, 4);
  const Values got = (swapped * b).to_doubles();
  const Values want = (reshape(swapped, swapped.shape()) * expand(b, {2, 3, 2, 3, 2})).to_doubles();
  EXPECT_TRUE(same_values(got, want));
}

TEST_P(OpsPointwise, DropoutKeepsTheShareThatItShould) {
  const Tensor ones = Tensor::full(*device, {100'000}, 1);
  for (const float p : {0.1f, 0.5f, 0.9f}) {
    const Values values = dropout(ones, p, {5, 1}).to_doubles();
    double kept = 0;
    for (const double value : values) {
      ASSERT_TRUE(value == 0 || value == static_cast<double>(1.0f / (1.0f - p)));
      kept += value != 0 ? 1 : 0;
    }
    // Binomial: five standard deviations.
    EXPECT_NEAR(kept / 100'000, 1 - p, 5 * std::sqrt(p * (1 - p) / 100'000)) << p;
  }
}

TEST_P(OpsPointwise, DropoutMasksDependOnStreamAndElementAlone) {
  const Tensor x = Tensor::full(*device, {1000}, 1);
  const Values mask = dropout(x, 0.5f, {5, 1}).to_doubles();
  EXPECT_TRUE(same_values(dropout(x, 0.5f, {5, 1}), mask));
  EXPECT_TRUE(same_values(dropout(cast(x, DType::f16), 0.5f, {5, 1}), mask));
  EXPECT_FALSE(same_values(dropout(x, 0.5f, {5, 2}), mask));
  EXPECT_FALSE(same_values(dropout(x, 0.5f, {6, 1}), mask));
  const Values head = dropout(slice(x, 0, 0, 100), 0.5f, {5, 1}).to_doubles();
  EXPECT_TRUE(same_values(head, Values(mask.begin(), mask.begin() + 100)));
  for (const float p : {-0.1f, 1.0f, 2.0f, static_cast<float>(kNan)}) EXPECT_THROW(dropout(x, p, {}), Error);
}

}  // namespace
}  // namespace amphora::testing
