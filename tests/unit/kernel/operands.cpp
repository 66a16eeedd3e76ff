// What calls do with their buffers, as everything that rewrites or reorders a plan relies on it.
#include "amphora/kernel/operands.h"

#include <gtest/gtest.h>

#include "support/plan_builder.h"

namespace amphora {
namespace {

using testing::product_of;
using testing::spec_of;

// The uses of a call on ranges of these sizes; 0 for a buffer that is absent.
std::string uses(KernelCall call, const std::vector<std::size_t>& bytes) {
  std::string text;
  for (const std::size_t size : bytes) call.with({nullptr, 0, size});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    constexpr char kLetters[] = {'-', 'r', 'w', 'u'};
    text += kLetters[static_cast<int>(use_of(call, static_cast<int>(i), bytes[i] > 0))];
  }
  return text;
}

KernelCall matmul_of(const MatmulParams& params, std::uint8_t flags = 0) {
  Spec spec;
  spec.flags = flags;
  return {KernelId::matmul, spec, params};
}

TEST(Operands, AProductReadsCWhereBetaAsksForIt) {
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4)), {32, 48, 24}), "rrw");
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4, 1.0f)), {32, 48, 24}), "rru");
}

TEST(Operands, AProductWithGapsKeepsWhatLiesInThem) {
  MatmulParams params = product_of(2, 3, 4);
  params.ldc = 5;
  EXPECT_EQ(uses(matmul_of(params), {32, 48, 32}), "rru");
  params = product_of(2, 3, 4);
  params.batch = 2;
  params.c_batch_stride = 6;
  EXPECT_EQ(uses(matmul_of(params), {64, 96, 48}), "rrw");
  params.c_batch_stride = 8;
  EXPECT_EQ(uses(matmul_of(params), {64, 96, 56}), "rru");
}

TEST(Operands, AnEpilogueReadsAndWrites) {
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4)), {32, 48, 24, 12, 24}), "rrwrw");
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4), kMatmulDerivative), {32, 48, 24, 0, 24}), "rrw-r");
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4), kMatmulBiasGradient), {32, 48, 24, 0, 0, 12}), "rrw--w");
  EXPECT_EQ(uses(matmul_of(product_of(2, 3, 4), kMatmulBiasGradient | kMatmulAddBiasGradient), {32, 48, 24, 0, 0, 12}),
            "rrw--u");
}

TEST(Operands, AReductionReadsWhatItAddsTo) {
  EXPECT_EQ(uses({KernelId::reduce, {}, ReduceParams{2, 3, 4, 1.0f, 0}}, {96, 32}), "rw");
  EXPECT_EQ(uses({KernelId::reduce, {}, ReduceParams{2, 3, 4, 1.0f, 1}}, {96, 32}), "ru");
  EXPECT_EQ(uses({KernelId::reduce_grad, {}, ReduceParams{2, 3, 4, 1.0f, 0}}, {96, 32, 32, 96}), "rrrw");
}

TEST(Operands, ACopyWritesAllOrKeepsTheRest) {
  CopyParams params{};
  params.rank = 2;
  params.sizes[0] = 2;
  params.sizes[1] = 3;
  params.in_strides[1] = params.out_strides[1] = 1;
  params.in_strides[0] = params.out_strides[0] = 3;
  EXPECT_EQ(uses({KernelId::copy, {}, params}, {24, 24}), "rw");
  EXPECT_EQ(uses({KernelId::copy, {}, params}, {24, 28}), "ru");
  params.out_strides[0] = 4;
  EXPECT_EQ(uses({KernelId::copy, {}, params}, {24, 28}), "ru");
}

TEST(Operands, ARangeThatIsLongerThanTheResultIsNotAllWritten) {
  EXPECT_EQ(uses(testing::fill_of(8, 0.0f), {32}), "w");
  EXPECT_EQ(uses(testing::fill_of(8, 0.0f), {36}), "u");
  EXPECT_EQ(uses(testing::cast_of(8, DType::f32, DType::f16), {32, 16}), "rw");
  EXPECT_EQ(uses(testing::unary_of(8), {32, 64}), "ru");
  EXPECT_EQ(uses(testing::binary_of(8), {32, 32, 32}), "rrw");
}

TEST(Operands, RowsAndLosses) {
  const Spec loss = spec_of(DType::f16, DType::i32);
  EXPECT_EQ(uses({KernelId::softmax, {}, RowsParams{2, 5}}, {40, 40}), "rw");
  EXPECT_EQ(uses({KernelId::softmax_grad, {}, RowsParams{2, 5}}, {40, 40, 40}), "rrw");
  EXPECT_EQ(uses({KernelId::cross_entropy, loss, CrossEntropyParams{2, 5, 0}}, {20, 8, 8, 8}), "rrww");
  EXPECT_EQ(uses({KernelId::cross_entropy_grad, loss, CrossEntropyParams{2, 5, 0}}, {20, 8, 8, 4, 20}), "rrrrw");
}

// All of these may leave what was there: a step is skipped, a gradient is finite, a scale is 1.
TEST(Operands, WhatDependsOnTheDeviceSStateIsAnUpdate) {
  const OptimizerParams step{8, {}, {}};
  const Spec sgd{.function = static_cast<std::uint8_t>(OptimizerRule::sgd)};
  const Spec rmsprop{.function = static_cast<std::uint8_t>(OptimizerRule::rmsprop)};
  EXPECT_EQ(uses({KernelId::optimizer_step, sgd, step}, {32, 32, 32, 32, 0, 0, 24}), "ruuu--r");
  EXPECT_EQ(uses({KernelId::optimizer_step, sgd, step}, {32, 32, 32, 0, 0, 0, 24}), "ruu---r");
  EXPECT_EQ(uses({KernelId::optimizer_step, rmsprop, step}, {32, 32, 32, 32, 32, 32, 24}), "ruuuuur");
  EXPECT_EQ(uses({KernelId::unscale, {}, CountParams{8}}, {32, 24, 4}), "uuu");
  EXPECT_EQ(uses({KernelId::inspect, {}, CountParams{8}}, {32, 24, 4}), "ruu");
  EXPECT_EQ(uses({KernelId::gradient_norm, {}, GradientNormParams{8, 2.0f}}, {32, 4}), "ru");
  EXPECT_EQ(uses({KernelId::clip_norm, {}, ClipParams{8, 1.0f}}, {32, 4}), "ur");
  EXPECT_EQ(uses({KernelId::begin_step, {}, BeginStepParams{}}, {24, 4, 24}), "urr");
  EXPECT_EQ(uses({KernelId::begin_step, {}, BeginStepParams{}}, {24, 0, 0}), "u--");
  EXPECT_EQ(uses({KernelId::scaler_update, {}, ScalerUpdateParams{}}, {24}), "u");
}

TEST(Operands, DropoutReadsTheNumberOfItsCall) {
  const DropoutParams params{
      .count = 8, .threshold = 0, .scale = 1, .seed_low = 0, .seed_high = 0, .stream_low = 0, .stream_high = 0};
  EXPECT_EQ(uses({KernelId::dropout, {}, params}, {32, 32, 4}), "rwr");
  EXPECT_EQ(uses({KernelId::dropout, {}, params}, {32, 32}), "rw");
}

TEST(Operands, DeviceStateHasNoElementType) {
  const KernelCall step(KernelId::optimizer_step, spec_of(DType::f32, DType::f32, DType::f16, DType::f32),
                        OptimizerParams{});
  EXPECT_EQ(type_of(step, 2), DType::f16);
  EXPECT_EQ(type_of(step, 4), DType::f32);
  EXPECT_EQ(type_of(step, 6), std::nullopt);
  const KernelCall loss(KernelId::cross_entropy_grad, spec_of(DType::bf16, DType::i32), CrossEntropyParams{});
  EXPECT_EQ(type_of(loss, 4), DType::bf16);
  const KernelCall product(KernelId::matmul, spec_of(DType::f16, DType::f16, DType::f16), product_of(1, 1, 1));
  EXPECT_EQ(type_of(product, 4), DType::f16);
  EXPECT_EQ(type_of(product, 5), DType::f32);
}

TEST(Operands, CostCountsEachDirectionOnce) {
  KernelCall product = matmul_of(product_of(2, 3, 4));
  product.with({nullptr, 0, 32}).with({nullptr, 0, 48}).with({nullptr, 0, 24});
  EXPECT_EQ(cost_of(product).flops, 2.0 * 2 * 3 * 4);
  EXPECT_EQ(cost_of(product).bytes, 32.0 + 48 + 24);
  KernelCall added = matmul_of(product_of(2, 3, 4, 1.0f));
  added.with({nullptr, 0, 32}).with({nullptr, 0, 48}).with({nullptr, 0, 24});
  EXPECT_EQ(cost_of(added).bytes, 32.0 + 48 + 2 * 24);
  // What an optimizer writes without looking at it is not read.
  KernelCall sgd(KernelId::optimizer_step, spec_of(DType::f32, DType::f32, DType::f16), OptimizerParams{8, {}, {}});
  sgd.with({nullptr, 0, 32}).with({nullptr, 0, 32}).with({nullptr, 0, 16}).with({}).with({}).with({});
  sgd.with({nullptr, 0, 24});
  EXPECT_EQ(cost_of(sgd).bytes, 32.0 + 2 * 32 + 16 + 24);
}

}  // namespace
}  // namespace amphora
