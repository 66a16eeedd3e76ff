// What each pass makes of a plan, as text.
#include "amphora/plan/passes/passes.h"

#include <gtest/gtest.h>

#include "support/plan_builder.h"
#include "support/recorded.h"

namespace amphora::plan {
namespace {

using namespace amphora::testing;  // NOLINT(google-build-using-namespace): its calls read like the plans' texts

std::string simd(KernelId, const Spec&) { return "simd"; }
std::string oracle(KernelId, const Spec&) { return "oracle"; }
// Another path for each mix of types.
std::string by_types(KernelId, const Spec& spec) {
  std::string path;
  for (const DType type : spec.types) path += name_of(type);
  return path;
}

// The plan as the texts below have it, which begin on a line of their own.
std::string text_of(const Plan& plan) {
  std::string text = "\n";
  return text += calls_of(plan);
}

// --- share_casts ---

// x cast twice, and each result used once.
PlanBuilder two_casts(const char* first_phase, const char* second_phase) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), first = b.value(200), second = b.value(200);
  const int y = b.value(200, Role::kept), z = b.value(200, Role::kept);
  const Spec f16 = spec_of(DType::f16, DType::f16);
  b.call(cast_of(100, DType::f32, DType::f16), {x, first}, first_phase);
  b.call(unary_of(100, UnaryFunction::exp, f16), {first, y}, first_phase);
  b.call(cast_of(100, DType::f32, DType::f16), {x, second}, second_phase);
  b.call(unary_of(100, UnaryFunction::sin, f16), {second, z}, second_phase);
  return b;
}

TEST(ShareCasts, ASecondCastOfTheSameBytesIsNotMade) {
  Plan plan = two_casts("forward", "forward").plan;
  EXPECT_EQ(share_casts(plan), 1);
  EXPECT_EQ(text_of(plan), R"(
cast [100] %1:f16 <- %0:f32 # forward
unary(exp) [100] %3:f16 <- %1:f16 # forward
unary(sin) [100] %4:f16 <- %1:f16 # forward
)");
}

TEST(ShareCasts, NothingIsKeptForAForwardPassThatIsRunAgain) {
  Plan plan = two_casts("forward", "recompute").plan;
  EXPECT_EQ(share_casts(plan), 0);
  EXPECT_EQ(plan.calls.size(), 4u);
  plan = two_casts("recompute", "recompute").plan;
  EXPECT_EQ(share_casts(plan), 1);
}

TEST(ShareCasts, TwoSegmentsThatAreRunAgainShareNothing) {
  PlanBuilder b = two_casts("recompute", "recompute");
  b.plan.calls[1].phase = "backward";
  EXPECT_EQ(share_casts(b.plan), 0);
}

TEST(ShareCasts, AWriteInBetweenKeepsBothCasts) {
  for (const int written : {0, 1}) {  // what is cast, or the first result
    PlanBuilder b = two_casts("forward", "forward");
    const std::size_t bytes = b.plan.values[static_cast<std::size_t>(written)].bytes;
    // A single element.
    b.call(fill_of(1, 0, written == 0 ? DType::f32 : DType::f16), {{written, bytes - 4, written == 0 ? 4u : 2u}});
    std::swap(b.plan.calls[2], b.plan.calls[4]);
    std::swap(b.plan.calls[3], b.plan.calls[4]);
    EXPECT_EQ(share_casts(b.plan), 0) << calls_of(b.plan);
  }
}

TEST(ShareCasts, OtherBytesOrAnotherTypeAreAnotherCast) {
  PlanBuilder b;
  const int x = b.value(800, Role::input);
  const int low = b.value(200), high = b.value(200), other = b.value(200), y = b.value(200, Role::kept);
  b.call(cast_of(100, DType::f32, DType::f16), {{x, 0, 400}, low});
  b.call(cast_of(100, DType::f32, DType::f16), {{x, 400, 400}, high});
  b.call(cast_of(100, DType::f32, DType::bf16), {{x, 0, 400}, other});
  for (const int value : {low, high, other}) b.call(unary_of(100), {value, y});
  EXPECT_EQ(share_casts(b.plan), 0);
}

TEST(ShareCasts, PartsOfTheSecondResultArePartsOfTheFirst) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), both = b.value(500), second = b.value(200), y = b.value(50, Role::kept);
  b.call(cast_of(100, DType::f32, DType::f16), {x, {both, 300, 200}});
  b.call(cast_of(100, DType::f32, DType::f16), {x, second});
  b.call(unary_of(25, UnaryFunction::exp, spec_of(DType::f16, DType::f16)), {{second, 150, 50}, y});
  EXPECT_EQ(share_casts(b.plan), 1);
  EXPECT_EQ(text_of(b.plan), R"(
cast [100] %1[300+200]:f16 <- %0:f32
unary(exp) [25] %3:f16 <- %1[450+50]:f16
)");
}

// --- fold_casts ---

PlanBuilder widened() {
  PlanBuilder b;
  const int x = b.value(200, Role::input), wide = b.value(400), other = b.value(400, Role::input);
  const int y = b.value(400, Role::kept), z = b.value(200, Role::kept);
  b.call(cast_of(100, DType::f16, DType::f32), {x, wide});
  b.call(unary_of(100, UnaryFunction::exp), {wide, y});
  b.call(binary_of(50, BinaryFunction::mul), {{wide, 200, 200}, {other, 0, 200}, z});
  return b;
}

TEST(FoldCasts, AWideningCastMovesIntoTheLoads) {
  Plan plan = widened().plan;
  EXPECT_EQ(fold_casts(plan, simd), 1);
  EXPECT_EQ(text_of(plan), R"(
unary(exp) [100] %3:f32 <- %0:f16
binary(mul) [50] %4:f32 <- %0[100+100]:f16 %2[0+200]:f32
)");
}

TEST(FoldCasts, NothingIsFoldedIntoTheOracleOrOntoAnotherPath) {
  for (const auto& path_of : {oracle, by_types}) {
    Plan plan = widened().plan;
    EXPECT_EQ(fold_casts(plan, path_of), 0);
    EXPECT_EQ(plan.calls.size(), 3u);
  }
}

TEST(FoldCasts, OneReaderThatNeedsF32KeepsTheCast) {
  PlanBuilder b = widened();
  const int c = b.value(400, Role::kept);
  b.call(KernelCall(KernelId::matmul, {}, product_of(10, 10, 10)), {1, 2, c});
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

TEST(FoldCasts, WhatIsOverwrittenBeforeItsLastReaderKeepsItsCast) {
  PlanBuilder b = widened();
  b.call(fill_of(100, 0, DType::f16), {0});
  std::swap(b.plan.calls[2], b.plan.calls[3]);
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

PlanBuilder narrowed() {
  PlanBuilder b;
  const int x = b.value(400, Role::input), wide = b.value(400), y = b.value(200, Role::kept);
  b.call(unary_of(100, UnaryFunction::exp), {x, wide});
  b.call(cast_of(100, DType::f32, DType::bf16), {wide, y});
  return b;
}

TEST(FoldCasts, ANarrowingCastMovesIntoTheStore) {
  Plan plan = narrowed().plan;
  EXPECT_EQ(fold_casts(plan, simd), 1);
  EXPECT_EQ(text_of(plan), R"(
unary(exp) [100] %2:bf16 <- %0:f32
)");
}

TEST(FoldCasts, AResultThatIsAlsoReadAsF32KeepsItsCast) {
  PlanBuilder b = narrowed();
  b.call(unary_of(100), {1, b.value(400, Role::kept)});
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

TEST(FoldCasts, AResultThatIsKeptKeepsItsCast) {
  PlanBuilder b = narrowed();
  b.plan.values[1].role = Role::kept;
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

TEST(FoldCasts, AStoreDoesNotMoveBeforeAReadOfWhatItOverwrites) {
  PlanBuilder b = narrowed();
  b.call(unary_of(100, UnaryFunction::sin, spec_of(DType::bf16)), {2, b.value(400, Role::kept)});
  std::swap(b.plan.calls[1], b.plan.calls[2]);
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

TEST(FoldCasts, SumsAndProductsStoreWhatTheyStored) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), sum = b.value(40), product = b.value(400);
  b.call(KernelCall(KernelId::reduce, {}, ReduceParams{1, 10, 10, 1.0f, 0}), {x, sum});
  b.call(cast_of(10, DType::f32, DType::f16), {sum, b.value(20, Role::kept)});
  b.call(KernelCall(KernelId::matmul, {}, product_of(10, 10, 10)), {x, x, product});
  b.call(cast_of(100, DType::f32, DType::f16), {product, b.value(200, Role::kept)});
  EXPECT_EQ(fold_casts(b.plan, simd), 0);
}

// --- drop_unread_operands ---

TEST(SpareOperands, DerivativesReadWhatTheyLookAt) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(400, Role::input), dy = b.value(400, Role::input);
  const int dx = b.value(400, Role::kept);
  for (const UnaryFunction f : {UnaryFunction::relu, UnaryFunction::gelu, UnaryFunction::tanh, UnaryFunction::neg}) {
    b.call(unary_grad_of(100, f), {x, y, dy, dx});
  }
  EXPECT_EQ(drop_unread_operands(b.plan, simd), 4);
  EXPECT_EQ(text_of(b.plan), R"(
unary_grad(relu) [100] %3:f32 <- %1:f32 %1:f32 %2:f32
unary_grad(gelu) [100] %3:f32 <- %0:f32 %0:f32 %2:f32
unary_grad(tanh) [100] %3:f32 <- %1:f32 %1:f32 %2:f32
unary_grad(neg) [100] %3:f32 <- %2:f32 %2:f32 %2:f32
)");
}

// A relu that rounds to f16 gives 0 for small arguments, whose slope is 1.
TEST(SpareOperands, AResultOfAnotherTypeDoesNotStandForReluSArgument) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(200, Role::input), dx = b.value(400, Role::kept);
  b.call(unary_grad_of(100, UnaryFunction::relu, spec_of(DType::f32, DType::f16, DType::f16)), {x, y, y, dx});
  EXPECT_EQ(drop_unread_operands(b.plan, simd), 1);
  EXPECT_EQ(text_of(b.plan), R"(
unary_grad(relu) [100] %2:f32 <- %0:f32 %0:f32 %1:f16
)");
}

TEST(SpareOperands, ADerivativeOfASumReadsNothingButDy) {
  PlanBuilder b;
  const int row = b.value(40, Role::input), y = b.value(400, Role::input), dy = b.value(200, Role::input);
  const int dx = b.value(400, Role::kept);
  BinaryParams params{};
  params.rank = 2;
  params.sizes[0] = params.sizes[1] = 10;
  params.a_strides[0] = params.dy_strides[0] = 10;
  params.a_strides[1] = params.b_strides[1] = params.dy_strides[1] = 1;
  Spec spec = spec_of(DType::f32, DType::f32, DType::f16, DType::f32);
  for (const BinaryFunction f : {BinaryFunction::add, BinaryFunction::mul}) {
    spec.function = static_cast<std::uint8_t>(f);
    b.call(KernelCall(KernelId::binary_grad, spec, params), {y, row, dy, dx});
  }
  EXPECT_EQ(drop_unread_operands(b.plan, simd), 2);
  EXPECT_EQ(text_of(b.plan), R"(
binary_grad(add) [10x10] %3:f32 <- %2:f16 %2:f16 %2:f16
binary_grad(mul) [10x10] %3:f32 <- %2:f16 %0:f32 %2:f16
)");
  EXPECT_EQ(b.plan.calls[0].call.params<BinaryParams>().b_strides[0], 10);  // as dy, no longer repeated
}

// --- drop_dead_calls ---

TEST(DropDeadCalls, WhatNobodyReadsIsNotComputed) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(400), z = b.value(400), kept = b.value(400, Role::kept);
  b.call(unary_of(100), {x, y});
  b.call(unary_of(100, UnaryFunction::exp), {y, z});
  b.call(unary_of(100, UnaryFunction::sin), {x, kept});
  EXPECT_EQ(drop_dead_calls(b.plan), 2);
  EXPECT_EQ(text_of(b.plan), R"(
unary(sin) [100] %3:f32 <- %0:f32
)");
}

TEST(DropDeadCalls, AFillThatOthersOverwriteIsNotMade) {
  PlanBuilder b;
  const int x = b.value(200, Role::input), arena = b.value(400, Role::kept);
  b.call(fill_of(100, 0), {arena});
  b.call(unary_of(50), {x, {arena, 0, 200}});
  b.call(unary_of(50), {x, {arena, 200, 200}});
  EXPECT_EQ(drop_dead_calls(b.plan), 1);
}

TEST(DropDeadCalls, AFillOfWhichAPartIsLeftIsMade) {
  PlanBuilder b;
  const int x = b.value(200, Role::input), arena = b.value(404, Role::kept);
  b.call(fill_of(101, 0), {arena});
  b.call(unary_of(50), {x, {arena, 0, 200}});
  b.call(unary_of(50), {x, {arena, 204, 200}});
  EXPECT_EQ(drop_dead_calls(b.plan), 0);
}

TEST(DropDeadCalls, AFillThatIsReadFirstIsMade) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(400, Role::kept), z = b.value(400, Role::kept);
  b.call(fill_of(100, 0), {y});
  b.call(unary_of(100), {y, z});
  b.call(unary_of(100), {x, y});
  EXPECT_EQ(drop_dead_calls(b.plan), 0);
}

// An optimizer that skips its step leaves the working copy as it was.
TEST(DropDeadCalls, WhatMayBeSkippedOverwritesNothing) {
  PlanBuilder b;
  const int g = b.value(400, Role::input), master = b.value(400, Role::kept), working = b.value(200, Role::kept);
  const int group = b.value(sizeof(GroupState), Role::kept);
  b.call(cast_of(100, DType::f32, DType::f16), {master, working});
  b.call(
      KernelCall(KernelId::optimizer_step, spec_of(DType::f32, DType::f32, DType::f16), OptimizerParams{100, {}, {}}),
      {g, master, working, kNoValue, kNoValue, kNoValue, group});
  EXPECT_EQ(drop_dead_calls(b.plan), 0);
}

// --- store_instead_of_accumulate ---

TEST(OverwriteZeros, ASumOntoZerosIsWritten) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(400, Role::kept), z = b.value(40, Role::kept);
  b.call(fill_of(100, 0), {y});
  b.call(fill_of(10, 0), {z});
  b.call(KernelCall(KernelId::matmul, {}, product_of(10, 10, 10, 1.0f)), {x, x, y});
  b.call(KernelCall(KernelId::reduce, {}, ReduceParams{1, 10, 10, 1.0f, 1}), {x, z});
  b.call(KernelCall(KernelId::accumulate, {}, CountParams{100}), {x, y});
  EXPECT_EQ(store_instead_of_accumulate(b.plan, simd), 2);
  EXPECT_EQ(drop_dead_calls(b.plan), 2);
  EXPECT_EQ(text_of(b.plan), R"(
matmul [10x10 * 10x10] %1:f32 <- %0:f32 %0:f32
reduce(sum) [1x10x10 over the middle] %2:f32 <- %0:f32
accumulate [100] %1:f32 <- %0:f32 %1:f32
)");
}

TEST(OverwriteZeros, ASumOntoAnythingElseStaysOne) {
  PlanBuilder b;
  const int x = b.value(400, Role::input), y = b.value(400, Role::kept);
  b.call(fill_of(100, 1), {y});
  b.call(KernelCall(KernelId::accumulate, {}, CountParams{100}), {x, y});
  b.call(fill_of(50, 0), {{y, 0, 200}});
  b.call(KernelCall(KernelId::accumulate, {}, CountParams{100}), {x, y});
  EXPECT_EQ(store_instead_of_accumulate(b.plan, simd), 0);
}

// --- fuse_epilogues ---

// relu(x w + bias), and its gradients for a dy.
PlanBuilder layer(UnaryFunction activation) {
  PlanBuilder b;
  const int x = b.value(8 * 16 * 4, Role::input), w = b.value(16 * 4 * 4, Role::kept);
  const int bias = b.value(4 * 4, Role::kept), product = b.value(8 * 4 * 4), sum = b.value(8 * 4 * 4);
  const int y = b.value(8 * 4 * 4, Role::kept);
  b.call(KernelCall(KernelId::matmul, {}, product_of(8, 4, 16)), {x, w, product});
  BinaryParams add{};
  add.rank = 2;
  add.sizes[0] = 8;
  add.sizes[1] = 4;
  add.a_strides[0] = 4;
  add.a_strides[1] = add.b_strides[1] = 1;
  b.call(KernelCall(KernelId::binary, {}, add), {product, bias, sum});
  b.call(unary_of(32, activation), {sum, y});
  return b;
}

TEST(FuseEpilogues, ABiasAndAnActivationMoveIntoTheProduct) {
  Plan plan = layer(UnaryFunction::relu).plan;
  EXPECT_EQ(fuse_epilogues(plan, simd), 2);
  EXPECT_EQ(text_of(plan), R"(
matmul+bias+relu [8x16 * 16x4] %5:f32 <- %0:f32 %1:f32 %2:f32
)");
}

TEST(FuseEpilogues, WhatTheGradientReadsIsKept) {
  PlanBuilder b = layer(UnaryFunction::gelu);
  const int dy = b.value(128, Role::input), dx = b.value(128, Role::kept);
  b.call(unary_grad_of(32, UnaryFunction::gelu), {4, 4, dy, dx});
  EXPECT_EQ(fuse_epilogues(b.plan, simd), 2);
  EXPECT_EQ(text_of(b.plan), R"(
matmul+bias+gelu [8x16 * 16x4] %5:f32 %4:f32 <- %0:f32 %1:f32 %2:f32
unary_grad(gelu) [32] %7:f32 <- %4:f32 %4:f32 %6:f32
)");
}

TEST(FuseEpilogues, AFunctionThatIsNoActivationStays) {
  Plan plan = layer(UnaryFunction::exp).plan;
  EXPECT_EQ(fuse_epilogues(plan, simd), 1);
  EXPECT_EQ(plan.calls.size(), 2u);
}

TEST(FuseEpilogues, AColumnIsNoBias) {
  PlanBuilder b = layer(UnaryFunction::relu);
  PlannedCall& add = b.plan.calls[1];
  auto params = add.call.params<BinaryParams>();
  params.b_strides[0] = 1;
  params.b_strides[1] = 0;
  KernelCall column(KernelId::binary, add.call.spec, params);
  for (int i = 0; i < 3; ++i) column.with(add.call.buffers[static_cast<std::size_t>(i)]);
  add.call = column;
  EXPECT_EQ(fuse_epilogues(b.plan, simd), 0);
}

TEST(FuseEpilogues, ABiasThatIsWrittenInBetweenStays) {
  PlanBuilder b = layer(UnaryFunction::relu);
  b.call(fill_of(4, 1), {2});
  std::swap(b.plan.calls[1], b.plan.calls[3]);
  std::swap(b.plan.calls[2], b.plan.calls[3]);
  EXPECT_EQ(fuse_epilogues(b.plan, simd), 0);
}

TEST(FuseEpilogues, AProductThatIsAddedToIsLeftAlone) {
  PlanBuilder b = layer(UnaryFunction::relu);
  KernelCall added(KernelId::matmul, {}, product_of(8, 4, 16, 1.0f));
  for (int i = 0; i < 3; ++i) added.with(b.plan.calls[0].call.buffers[static_cast<std::size_t>(i)]);
  b.plan.calls[0].call = added;
  EXPECT_EQ(fuse_epilogues(b.plan, simd), 0);
}

TEST(FuseEpilogues, ADerivativeAndTheBiasGradientMoveIntoTheProduct) {
  PlanBuilder b;
  const int dz = b.value(8 * 16 * 4, Role::input), w = b.value(16 * 4 * 4, Role::kept);
  const int y = b.value(8 * 4 * 4, Role::input), dy = b.value(8 * 4 * 4), dx = b.value(8 * 4 * 4);
  const int sum = b.value(16, Role::kept), next = b.value(128, Role::kept);
  b.call(KernelCall(KernelId::matmul, {}, product_of(8, 4, 16)), {dz, w, dy});
  b.call(unary_grad_of(32, UnaryFunction::relu), {y, y, dy, dx});
  b.call(KernelCall(KernelId::reduce, {}, ReduceParams{1, 8, 4, 1.0f, 1}), {dx, sum});
  b.call(unary_of(32, UnaryFunction::exp), {dx, next});
  EXPECT_EQ(fuse_epilogues(b.plan, simd), 2);
  EXPECT_EQ(text_of(b.plan), R"(
matmul+relu'+bias_gradient [8x16 * 16x4] %4:f32 %5:f32 <- %0:f32 %1:f32 %2:f32 %5:f32
unary(exp) [32] %6:f32 <- %4:f32
)");
}

TEST(FuseEpilogues, NothingMovesOntoTheOracleThatDidNotRunThere) {
  const PathOf without_epilogues = [](KernelId, const Spec& spec) -> std::string {
    return spec.function == 0 && spec.flags == 0 ? "simd" : "oracle";
  };
  Plan plan = layer(UnaryFunction::relu).plan;
  EXPECT_EQ(fuse_epilogues(plan, without_epilogues), 1);  // the bias
  EXPECT_EQ(plan.calls.size(), 2u);
}

// --- optimize ---

TEST(Optimize, SaysWhatItDidAndForgetsWhatNobodyNames) {
  const Optimized result = optimize(two_casts("forward", "forward").plan, {}, oracle);
  EXPECT_EQ(result.plan.values.size(), 4u);
  EXPECT_EQ(describe(result.passes), "share_casts: 1 change, 1 call fewer\n");
  EXPECT_EQ(text_of(result.plan), R"(
cast [100] %1:f16 <- %0:f32 # forward
unary(exp) [100] %2:f16 <- %1:f16 # forward
unary(sin) [100] %3:f16 <- %1:f16 # forward
)");
}

TEST(Optimize, RunsWhatIsAskedForAlone) {
  const PassOptions none{
      .drop_unread_operands = false, .share_casts = false, .fold_casts = false, .drop_dead_calls = false};
  const Optimized result = optimize(two_casts("forward", "forward").plan, none, simd);
  EXPECT_TRUE(result.passes.empty());
  EXPECT_EQ(result.plan.calls.size(), 4u);
}

}  // namespace
}  // namespace amphora::plan
