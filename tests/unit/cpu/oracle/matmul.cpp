#include <cmath>

#include "amphora/kernel/dense_product.h"
#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleMatmul : public OracleTest {};

TEST_F(OracleMatmul, EveryTransposeGivesTheSameProduct) {
  const Values want = {58, 64, 139, 154};
  const Elements a[] = {f32({1, 2, 3, 4, 5, 6}), f32({1, 4, 2, 5, 3, 6})};
  const Elements b[] = {f32({7, 8, 9, 10, 11, 12}), f32({7, 9, 11, 8, 10, 12})};
  for (std::uint8_t flags = 0; flags < 4; ++flags) {
    const bool transpose_a = (flags & kMatmulTransposeA) != 0;
    const bool transpose_b = (flags & kMatmulTransposeB) != 0;
    MatmulParams params = dense_product(2, 2, 3);
    params.lda = transpose_a ? 2 : 3;
    params.ldb = transpose_b ? 3 : 2;
    const Elements c = f32(Values(4, kNaN));
    launch(KernelId::matmul, {.flags = flags}, params, {a[transpose_a], b[transpose_b], c, kAbsent, kAbsent});
    EXPECT_EQ(c.read(), want) << "flags " << int{flags};
  }
}

TEST_F(OracleMatmul, TakesEveryFloatingTypeAndRoundsOnce) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    const Elements a = elements(type, {256, 1});
    const Elements b = elements(type, {1, 1});
    const Elements c = elements(type, {0});
    launch(KernelId::matmul, {.types = {type, type, type}}, dense_product(1, 1, 2), {a, b, c, kAbsent, kAbsent});
    EXPECT_EQ(c.read(), Values{type == DType::bf16 ? 256.0 : 257.0}) << name_of(type);
  }
}

TEST_F(OracleMatmul, LowOperandsMayAccumulateIntoF32) {
  const Elements a = elements(DType::bf16, {1, 1});
  const Elements b = elements(DType::f16, {0x1p-10, 1});
  const Elements c = f32({1});
  MatmulParams params = dense_product(1, 1, 2);
  params.beta = 1.0f;
  launch(KernelId::matmul, {.types = {DType::bf16, DType::f16, DType::f32}}, params, {a, b, c, kAbsent, kAbsent});
  EXPECT_EQ(c.read(), Values{2 + 0x1p-10});
}

TEST_F(OracleMatmul, AlphaBetaAndBiasAreApplied) {
  const Elements a = f32({2});
  const Elements b = f32({3, 4});
  const Elements c = f32({10, 20});
  const Elements bias = f32({0.5, 0.25});
  MatmulParams params = dense_product(1, 2, 1);
  params.alpha = 2.0f;
  params.beta = -1.0f;
  launch(KernelId::matmul, {}, params, {a, b, c, bias, kAbsent});
  EXPECT_EQ(c.read(), (Values{2.5, -3.75}));
}

TEST_F(OracleMatmul, TheActivationSeesTheUnroundedValueAndAuxTheRoundedOne) {
  const Elements a = elements(DType::bf16, {1});
  const Elements b = elements(DType::bf16, {1.0078125});
  const Elements c = elements(DType::bf16, {0});
  const Elements bias = f32({0x1p-9});
  const Elements aux = elements(DType::bf16, {0});
  const Spec spec{.types = {DType::bf16, DType::bf16, DType::bf16, DType::f32},
                  .function = static_cast<std::uint8_t>(Activation::gelu)};
  launch(KernelId::matmul, spec, dense_product(1, 1, 1), {a, b, c, bias, aux});
  const double value = 1.0078125 + 0x1p-9;
  const double inner = 0.7978845608028654 * (value + 0.044715 * value * value * value);
  EXPECT_EQ(c.read(), Values{to_f32(to_bf16(0.5 * value * (1.0 + std::tanh(inner))))});
  EXPECT_EQ(aux.read(), Values{1.0078125});
}

TEST_F(OracleMatmul, ActivationsAreThePointwiseFunctions) {
  for (int i = 0; i <= static_cast<int>(Activation::tanh); ++i) {
    const auto activation = static_cast<Activation>(i);
    const Elements a = f32({1});
    const Elements b = f32({-0.75, 0.5});
    const Elements c = f32({0, 0});
    launch(KernelId::matmul, {.function = static_cast<std::uint8_t>(activation)}, dense_product(1, 2, 1),
           {a, b, c, kAbsent, kAbsent});
    Elements want = b;
    if (activation != Activation::none) {
      want = f32({0, 0});
      launch(KernelId::unary, {.function = static_cast<std::uint8_t>(function_of(activation))},
             UnaryParams{2, 0.0f, 0.0f}, {b, want});
    }
    EXPECT_EQ(c.read(), want.read()) << name_of(activation);
  }
}

TEST_F(OracleMatmul, AnEmptyProductLeavesTheEpilogue) {
  const Elements nothing = f32({});
  const Elements c = f32({3, -4});
  const Elements bias = f32({1, 1});
  MatmulParams params = dense_product(1, 2, 0);
  params.beta = 1.0f;
  launch(KernelId::matmul, {.function = static_cast<std::uint8_t>(Activation::relu)}, params,
         {nothing, nothing, c, bias, kAbsent});
  EXPECT_EQ(c.read(), (Values{4, 0}));
}

TEST_F(OracleMatmul, EmptyResultsTouchNothing) {
  const Elements c = f32({9});
  launch(KernelId::matmul, {}, dense_product(0, 1, 1), {f32({1}), f32({1}), c, kAbsent, kAbsent});
  launch(KernelId::matmul, {}, dense_product(1, 0, 1), {f32({1}), f32({1}), c, kAbsent, kAbsent});
  EXPECT_EQ(c.read(), Values{9});
}

TEST_F(OracleMatmul, BatchesAndLeadingDimensionsAreStrides) {
  // Two 1 x 2 rows of a in rows of 3; b shared; c in rows of 2 with a gap.
  const Elements a = f32({1, 2, -9, 3, 4, -9});
  const Elements b = f32({10, 1});
  const Elements c = f32({0, 7, 0, 7});
  MatmulParams params = dense_product(1, 1, 2);
  params.batch = 2;
  params.a_batch_stride = 3;
  params.c_batch_stride = 2;
  launch(KernelId::matmul, {}, params, {a, b, c, kAbsent, kAbsent});
  EXPECT_EQ(c.read(), (Values{12, 7, 34, 7}));

  MatmulParams rows = dense_product(2, 1, 2);
  rows.lda = 3;
  rows.ldc = 2;
  const Elements d = f32({0, 7, 0, 7});
  launch(KernelId::matmul, {}, rows, {a, b, d, kAbsent, kAbsent});
  EXPECT_EQ(d.read(), (Values{12, 7, 34, 7}));
}

}  // namespace
}  // namespace amphora::testing
