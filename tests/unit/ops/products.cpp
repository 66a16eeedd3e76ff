// Values of matmul and linear: every layout and type against sums in f64, fused epilogues, and errors.
#include <cmath>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OpsProducts : public CpuTest {
 protected:
  Tensor normals(const Shape& shape, DType type = DType::f32) {
    return tensor(shape, random.normals(shape.count()), type);
  }

  // a x b, read from the values that the tensors hold; rank 2 alone.
  static Values product(const Tensor& a, const Tensor& b) {
    const Values x = a.to_doubles();
    const Values y = b.to_doubles();
    const auto m = static_cast<std::size_t>(a.size(0));
    const auto k = static_cast<std::size_t>(a.size(1));
    const auto n = static_cast<std::size_t>(b.size(1));
    Values result(m * n);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t l = 0; l < k; ++l) result[i * n + j] += x[i * k + l] * y[l * n + j];
      }
    }
    return result;
  }

  // An f32 sum of k products of standard normal numbers: at most k roundings of half a unit of a partial sum, each
  // below 4 k with a wide margin; then one rounding to the result's type.
  static double tolerance(std::int64_t k, DType type) {
    const auto terms = static_cast<double>(k);
    const double sum = type == DType::f64 ? 0x1p-53 : 0x1p-24;
    const double last = type == DType::f16 ? 0x1p-11 : type == DType::bf16 ? 0x1p-8 : 0;
    return 4 * terms * sum * terms + last;
  }

  Random random;
};
AMPHORA_ON_CPU(OpsProducts);

TEST_P(OpsProducts, MatricesOfManySizes) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    for (const auto& [m, k, n] :
         {std::array<std::int64_t, 3>{1, 1, 1}, {1, 7, 1}, {5, 1, 3}, {17, 33, 9}, {64, 48, 80}}) {
      const Tensor a = normals({m, k}, type);
      const Tensor b = normals({k, n}, type);
      EXPECT_TRUE(close_values(matmul(a, b).to_doubles(), product(a, b), tolerance(k, type)))
          << m << " x " << k << " x " << n << " in " << name_of(type);
    }
  }
}

TEST_P(OpsProducts, ViewsAreReadInPlace) {
  for (const DType type : {DType::f32, DType::f16}) {
    const Tensor a = normals({13, 11}, type);
    const Tensor b = normals({13, 17}, type);
    const Tensor at = transpose(a);
    device->reset_counters();
    const Tensor c = matmul(at, b);
    EXPECT_EQ(launches(KernelId::copy) + launches(KernelId::cast), 0u);
    EXPECT_TRUE(close_values(c.to_doubles(), product(at, b), tolerance(13, type)));
    const Tensor rows = slice(a, 1, 2, 5);  // a leading dimension larger than the row
    const Tensor columns = slice(transpose(b), 1, 3, 5);
    const Tensor strided = transpose(slice(columns, 0, 0, 9));
    device->reset_counters();
    const Tensor part = matmul(rows, strided);
    EXPECT_EQ(launches(KernelId::copy) + launches(KernelId::cast), 0u);
    EXPECT_TRUE(close_values(part.to_doubles(), product(rows, strided), tolerance(5, type)));
  }
}

TEST_P(OpsProducts, OtherViewsAreCopied) {
  const Tensor a = normals({1, 5});
  const Tensor repeated = expand(a, {3, 5});
  const Tensor b = normals({5, 2});
  EXPECT_TRUE(close_values(matmul(repeated, b).to_doubles(), product(repeated, b), tolerance(5, DType::f32)));
  const Tensor shuffled = permute(normals({4, 3, 5}), {2, 0, 1});
  const Tensor c = matmul(shuffled, normals({5, 3, 2}));
  EXPECT_EQ(c.shape(), (Shape{5, 4, 2}));
}

TEST_P(OpsProducts, Batches) {
  const Tensor a = normals({2, 3, 4, 5});
  const Tensor b = normals({2, 3, 5, 6});
  const Tensor c = matmul(a, b);
  ASSERT_EQ(c.shape(), (Shape{2, 3, 4, 6}));
  for (const std::int64_t i : {0, 1}) {
    for (const std::int64_t j : {0, 1, 2}) {
      const auto part = [&](const Tensor& t) {
        return reshape(slice(slice(t, 0, i, 1), 1, j, 1), {t.size(2), t.size(3)});
      };
      EXPECT_TRUE(close_values(part(c).to_doubles(), product(part(a), part(b)), tolerance(5, DType::f32)));
    }
  }
  const Tensor shared = normals({5, 6});
  const Tensor tall = matmul(a, shared);
  EXPECT_EQ(tall.shape(), (Shape{2, 3, 4, 6}));
  EXPECT_TRUE(close_values(tall.to_doubles(), product(reshape(a, {24, 5}), shared), tolerance(5, DType::f32)));
}

TEST_P(OpsProducts, AnEmptySumIsZero) {
  EXPECT_TRUE(same_values(matmul(tensor({2, 0}, {}), tensor({0, 2}, {})), {0, 0, 0, 0}));
  EXPECT_TRUE(same_values(linear(tensor({2, 0}, {}), tensor({1, 0}, {}), vector({3})), {3, 3}));
}

TEST_P(OpsProducts, LinearRoundsTheActivatedSumOnce) {
  struct Case {
    Activation activation;
    double (*reference)(double);
  };
  const Case cases[] = {
      {Activation::none, [](double x) { return x; }},
      {Activation::relu, [](double x) { return std::max(0.0, x); }},
      {Activation::gelu,
       [](double x) { return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))); }},
      {Activation::silu, [](double x) { return x / (1 + std::exp(-x)); }},
      {Activation::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {Activation::tanh, [](double x) { return std::tanh(x); }}};
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    const Tensor x = normals({2, 5, 24}, type);
    const Tensor w = normals({19, 24}, type);
    const Tensor bias = normals({19}, type);
    const Values sums = product(reshape(x, {10, 24}), transpose(w));
    const Values offsets = bias.to_doubles();
    for (const auto& [activation, reference] : cases) {
      Values want(sums.size());
      for (std::size_t i = 0; i < want.size(); ++i) want[i] = reference(sums[i] + offsets[i % 19]);
      // Derivatives of the activations are at most 1.13; the functions themselves are good to a few units.
      const Tensor y = linear(x, w, bias, activation);
      EXPECT_EQ(y.shape(), (Shape{2, 5, 19}));
      EXPECT_TRUE(close_values(y.to_doubles(), want, 1.13 * tolerance(25, type) + 16 * 0x1p-24))
          << name_of(activation) << " in " << name_of(type);
      // Recording must not change the result, although it keeps more.
      const Tensor recorded = linear(x, w.detach().set_requires_grad(), bias, activation);
      EXPECT_EQ(bytes_of(recorded), bytes_of(y)) << name_of(activation);
    }
  }
}

TEST_P(OpsProducts, ALinearWithoutBiasIsAProduct) {
  const Tensor x = normals({3, 8});
  const Tensor w = normals({4, 8});
  EXPECT_TRUE(close_values(linear(x, w).to_doubles(), product(x, transpose(w)), tolerance(8, DType::f32)));
  EXPECT_EQ(linear(vector({1, 2}), tensor({3, 2}, {1, 0, 0, 1, 1, 1})).to_doubles(), (Values{1, 2, 3}));
}

TEST_P(OpsProducts, AWeightsGradientIsAddedToByTheProduct) {
  const nn::Parameter w = parameter_of({2, 2}, {1, 2, 3, 4});
  const nn::Parameter bias = parameter({0, 0});
  const amp::Autocast region(DType::bf16);
  const auto backward = [&] { sum(linear(tensor({1, 2}, {1, 2}), w, bias)).backward(); };
  backward();
  device->reset_counters();
  backward();
  EXPECT_EQ(launches(KernelId::accumulate), 0u);
  EXPECT_TRUE(same_values(w.grad(), {2, 4, 2, 4}));
  EXPECT_TRUE(same_values(bias.grad(), {2, 2}));
}

TEST_P(OpsProducts, GradientsOfLowProductsAreF32Sums) {
  // 4096 contributions of 1 to one weight: beyond 2048 f16, beyond 256 bf16 would stop counting.
  for (const DType low : kLowTypes) {
    const nn::Parameter w = parameter_of({1, 1}, {1});
    const nn::Parameter bias = parameter({0});
    const Tensor y = [&] {
      const amp::Autocast region(low);
      return linear(Tensor::full(*device, {4099, 1}, 1), w, bias);
    }();
    y.backward(Tensor::full(*device, {4099, 1}, 1, low));
    EXPECT_EQ(w.grad().item(), 4099) << name_of(low);
    EXPECT_EQ(bias.grad().item(), 4099) << name_of(low);
  }
}

TEST_P(OpsProducts, WrongShapesAndTypesAreNamed) {
  EXPECT_EQ(message_of([&] {
              matmul(normals({2, 3}), normals({4, 2}));
            }),
            "matmul of [2, 3] and [4, 2]: 3 columns meet 4 rows");
  EXPECT_THROW(matmul(normals({3}), normals({3, 2})), Error);
  EXPECT_THROW(matmul(normals({2, 2, 3}), normals({3, 3, 2})), Error);
  EXPECT_THROW(matmul(normals({2, 3}), normals({2, 3, 2})), Error);
  EXPECT_EQ(message_of([&] {
              matmul(normals({2, 2}), normals({2, 2}, DType::f16));
            }),
            "'matmul' on cpu needs inputs of one type, but got f32 [2, 2], f16 [2, 2]; convert with cast(), or run it "
            "under autocast");
  EXPECT_THROW(linear(normals({2, 3}), normals({4, 2})), Error);
  EXPECT_THROW(linear(normals({2, 3}), normals({3})), Error);
  EXPECT_THROW(linear(normals({2, 3}), normals({4, 3}), normals({3})), Error);
  EXPECT_THROW(linear(normals({2, 3}), normals({4, 3}, DType::f16)), Error);
}

}  // namespace
}  // namespace amphora::testing
