// Plans as text, their hashes, and the sentences that say how two recordings of a step differ.
#include "amphora/plan/dump.h"

#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "support/plan_builder.h"
#include "support/recorded.h"

namespace amphora::plan {
namespace {

using namespace amphora::testing;  // NOLINT(google-build-using-namespace): as in the other tests of plans

// A recorded layer on the null device, with what may differ between two recordings of it.
class PlanDump : public ::testing::Test {
 protected:
  Recorded layer(double factor = 0.5, std::int64_t rows = 4) {
    const Tensor weight = weight_;
    return record(*device, {x_}, [&] {
      const Tensor input = slice(x_, 0, 0, rows);
      const Tensor loss = sum(affine(linear(input, weight, bias_, Activation::relu), static_cast<float>(factor), 0.0f));
      loss.backward();
      return std::vector<Tensor>{loss};
    });
  }

  // As at the end of a step.
  void clear() {
    weight_.clear_grad();
    bias_.clear_grad();
  }

  std::shared_ptr<Device> device = open_device("null", {});
  Tensor x_ = Tensor::empty(*device, {4, 8}, DType::f16, MemoryKind::inputs);
  Tensor weight_ = Tensor::empty(*device, {2, 8}, DType::f16, MemoryKind::working_copies).set_requires_grad();
  Tensor bias_ = Tensor::empty(*device, {2}, DType::f16, MemoryKind::working_copies).set_requires_grad();
};

TEST_F(PlanDump, ShowsValuesAndCallsInColumns) {
  const std::string text = dump(layer().plan);
  EXPECT_EQ(text.substr(text.find('\n') + 1),
            R"(  %0   input              64 B  inputs 0
  %1   kept               32 B  working_copies
  %2   transient          16 B  activations
  %3   kept                4 B  working_copies
  %4   transient          16 B  activations
  %5   kept                2 B  activations, a result
  %6   transient           2 B  activations
  %7   transient           2 B  activations
  %8   transient          16 B  activations
  %9   transient          16 B  activations
  %10  transient          16 B  activations
  %11  kept               32 B  gradients, a result
  %12  kept                4 B  gradients, a result
  0    matmul+bias+relu [4x8 * 8x2 (T)]              %2:f16 <- %0:f16 %1:f16 %3:f16         # forward linear
  1    unary(affine 0.5 0) [8]                       %4:f16 <- %2:f16                       # forward affine
  2    reduce(sum) [1x8x1 over the middle]           %5:f16 <- %4:f16                       # forward sum
  3    fill(1) [1]                                   %6:f16 <-                              # backward seed
  4    unary(affine 1 0) [1]                         %7:f16 <- %6:f16                       # backward sum
  5    copy [8]                                      %8:f16 <- %7:f16                       # backward reshape
  6    unary_grad(affine 0.5 0) [8]                  %9:f16 <- %2:f16 %4:f16 %8:f16         # backward affine
  7    unary_grad(relu) [8]                          %10:f16 <- %2:f16 %2:f16 %9:f16        # backward linear
  8    matmul [2x4 (T) * 4x8]                        %11:f16 <- %10:f16 %0:f16              # backward linear
  9    reduce(sum) [1x4x2 over the middle]           %12:f16 <- %10:f16                     # backward linear
)");
}

TEST_F(PlanDump, BeginsWithTheHashTheCountsAndTheCost) {
  const Plan plan = layer().plan;
  const std::string first_line =
      fmt::format("plan {:016x}: 10 calls, 13 values, 3.29e-07 GFLOP, 0.000429 MiB", hash(plan));
  EXPECT_EQ(dump(plan).substr(0, first_line.size()), first_line);
}

// --- hash and first_difference ---

TEST_F(PlanDump, TwoRecordingsOfOneStepAreEqual) {
  layer();  // allocates the gradients
  clear();
  const Plan first = layer().plan;
  clear();
  const Plan second = layer().plan;
  EXPECT_EQ(first_difference(first, second), "");
  EXPECT_EQ(hash(first), hash(second));
}

TEST_F(PlanDump, ANumberOfTheHostSIsNamedWithItsOp) {
  const Plan first = layer(0.5).plan;
  clear();
  const Plan second = layer(0.25).plan;
  EXPECT_EQ(first_difference(first, second),
            "call 1 is unary(affine 0.5 0) [8] in 'affine', forward the first time and unary(affine 0.25 0) [8] in "
            "'affine', forward the second");
  EXPECT_NE(hash(first), hash(second));
}

TEST_F(PlanDump, AnotherShapeIsNamed) {
  const Plan first = layer().plan;
  clear();
  EXPECT_EQ(
      first_difference(first, layer(0.5, 3).plan),
      "call 0 is matmul+bias+relu [4x8 * 8x2 (T)] in 'linear', forward the first time and matmul+bias+relu [3x8 * "
      "8x2 (T)] in 'linear', forward the second");
}

TEST_F(PlanDump, MemoryThatIsAllocatedAnewIsNamed) {
  const Plan first = layer().plan;
  clear();
  bias_ = Tensor::empty(*device, {2}, DType::f16, MemoryKind::working_copies).set_requires_grad();
  EXPECT_EQ(first_difference(first, layer().plan),
            "call 0, matmul+bias+relu [4x8 * 8x2 (T)] in 'linear', forward: 'bias' is working_copies of 4 bytes from "
            "before the step, but in another buffer each time: what a step keeps must be allocated once, before it");
}

// A plan of three calls on one input, to change by hand.
PlanBuilder short_plan() {
  PlanBuilder b;
  const int x = b.value(32, Role::input), y = b.value(32), z = b.value(32), sum = b.value(32, Role::kept);
  b.call(unary_of(8), {x, y});
  b.call(unary_of(8, UnaryFunction::exp), {x, z});
  b.call(binary_of(8), {y, z, sum});
  return b;
}

TEST(PlanDifference, AParameterThatTheTextDoesNotShowIsNamed) {
  PlanBuilder a = short_plan(), b = short_plan();
  a.call({KernelId::clip_value, {}, ClipParams{8, 1.0f}}, {3});
  b.call({KernelId::clip_value, {}, ClipParams{8, 2.5f}}, {3});
  EXPECT_EQ(first_difference(a.plan, b.plan), "call 3, clip_value [8]: limit is 1 the first time and 2.5 the second");
  PlanBuilder c = short_plan(), d = short_plan();
  auto params = dense_pair(8);
  c.call({KernelId::binary, {}, params}, {0, 0, 3});
  params.b_strides[0] = 0;
  d.call({KernelId::binary, {}, params}, {0, 0, 3});
  EXPECT_EQ(first_difference(c.plan, d.plan),
            "call 3, binary(add) [8]: b_strides[0] is 1 the first time and 0 the second");
}

TEST(PlanDifference, OperandsAreNamedByWhatMadeThem) {
  const PlanBuilder a = short_plan();
  PlanBuilder b = short_plan();
  b.plan.calls[2].values[1] = 0;
  EXPECT_EQ(first_difference(a.plan, b.plan),
            "call 2, binary(add) [8]: 'b' is the result of unary(exp) [8] the first time and input 0 the second");
}

TEST(PlanDifference, PartsOfAValueAreNamed) {
  const PlanBuilder a = short_plan();
  PlanBuilder b = short_plan();
  b.plan.calls[1].call.buffers[0].offset = 4;
  EXPECT_EQ(first_difference(a.plan, b.plan),
            "call 1, unary(exp) [8]: 'x' is bytes 0 to 32 of input 0 the first time and bytes 4 to 36 the second");
}

TEST(PlanDifference, TypesAreNamed) {
  const PlanBuilder a = short_plan();
  PlanBuilder b = short_plan();
  b.plan.calls[0].call.spec.types[1] = DType::i32;
  EXPECT_EQ(first_difference(a.plan, b.plan),
            "call 0, unary(relu) [8]: the types are f32 f32 the first time and f32 i32 the second");
}

TEST(PlanDifference, AResultThatIsKeptOnceIsNamed) {
  const PlanBuilder a = short_plan();
  PlanBuilder b = short_plan();
  b.plan.values[1].role = Role::kept;
  b.plan.values[1].made_here = true;
  EXPECT_EQ(first_difference(a.plan, b.plan),
            "call 0, unary(relu) [8]: 'y' is the result of unary(relu) [8] (32 bytes) the first time and the result of "
            "unary(relu) [8] (32 bytes, which is kept) the second");
}

TEST(PlanDifference, ACallMoreIsNamed) {
  const PlanBuilder a = short_plan();
  PlanBuilder b = short_plan();
  b.call(fill_of(8, 3.0f), {3});
  EXPECT_EQ(first_difference(a.plan, b.plan),
            "there are 3 calls the first time and 4 the second; the first one more is fill(3) [8]");
}

// Whatever differs in a sentence differs in the hash, too.
TEST(PlanHash, EveryPartOfAPlanCounts) {
  const Plan plan = short_plan().plan;
  const auto changed = [&plan](auto&& change) {
    Plan other = plan;
    change(other);
    return hash(other) != hash(plan);
  };
  EXPECT_TRUE(changed([](Plan& p) { p.values[1].bytes = 64; }));
  EXPECT_TRUE(changed([](Plan& p) { p.values[1].role = Role::kept; }));
  EXPECT_TRUE(changed([](Plan& p) { p.values[1].kind = MemoryKind::gradients; }));
  EXPECT_TRUE(changed([](Plan& p) { p.calls[0].call.spec.function = 1; }));
  EXPECT_TRUE(changed([](Plan& p) { p.calls[0].call.spec.types[0] = DType::f16; }));
  EXPECT_TRUE(changed([](Plan& p) { p.calls[0].call.buffers[0].offset = 4; }));
  EXPECT_TRUE(changed([](Plan& p) { p.calls[0].values[0] = 3; }));
  EXPECT_TRUE(changed([](Plan& p) { p.calls.pop_back(); }));
  EXPECT_TRUE(changed([](Plan& p) { p.feeds.push_back({"lr", 0, 4, nullptr}); }));
  EXPECT_FALSE(changed([](Plan& p) { p.calls[0].module = "layers.0"; }));  // names compute nothing
}

}  // namespace
}  // namespace amphora::plan
