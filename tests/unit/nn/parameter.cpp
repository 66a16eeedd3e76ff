// Parameters, the memory they share, and their working copies.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class NnParameter : public CpuTest {
 protected:
  nn::Parameter a = parameter_of({2, 2}, {1, 2, 3, 4}, "a");
  nn::Parameter b = parameter({5, 6, 7}, "b");
};
AMPHORA_ON_CPU(NnParameter);

TEST_P(NnParameter, IsAnF32LeafWithItsName) {
  EXPECT_EQ(a.name(), "a");
  EXPECT_EQ(a.shape(), (Shape{2, 2}));
  EXPECT_EQ(a.tensor().dtype(), DType::f32);
  EXPECT_TRUE(a.requires_grad());
  EXPECT_FALSE(a.grad().defined());
  const nn::Parameter handle = a;
  EXPECT_TRUE(handle.is_same(a));
  EXPECT_FALSE(handle.is_same(b));
}

TEST_P(NnParameter, GatheringKeepsValuesAndGradients) {
  set_gradient(a, {10, 20, 30, 40});
  const Tensor handle = a.tensor();
  const nn::Parameter both[] = {a, b};
  nn::Parameter::gather(both);
  EXPECT_EQ(a.arena(), b.arena());
  EXPECT_EQ(a.start(), 0);
  EXPECT_EQ(b.start(), 4);
  EXPECT_EQ(a.arena()->count(), 7);
  EXPECT_TRUE(same_values(a.tensor(), {1, 2, 3, 4}));
  EXPECT_TRUE(same_values(b.tensor(), {5, 6, 7}));
  EXPECT_TRUE(same_values(a.grad(), {10, 20, 30, 40}));
  EXPECT_FALSE(b.grad().defined());
  EXPECT_TRUE(handle.is_same(a.tensor()));
  EXPECT_EQ(handle.buffer(), b.tensor().buffer());
}

TEST_P(NnParameter, ATapeRecordedBeforeGatheringReachesTheGradient) {
  const Tensor loss = sum(a.tensor() * 2.0f) + sum(linear(tensor({1, 2}, {1, 1}), a));
  const nn::Parameter both[] = {a, b};
  nn::Parameter::gather(both);
  loss.backward();
  EXPECT_TRUE(same_values(a.grad(), {3, 3, 3, 3}));
  EXPECT_EQ(a.grad().buffer(), a.arena()->gradient(0, {7}).buffer());
}

TEST_P(NnParameter, GatheredParametersStayWhereTheyAre) {
  const nn::Parameter both[] = {a, b};
  nn::Parameter::gather(both);
  const auto arena = a.arena();
  const nn::Parameter c = parameter({8}, "c");
  const nn::Parameter again[] = {a, c, b};
  nn::Parameter::gather(again);
  EXPECT_EQ(a.arena(), arena);
  EXPECT_EQ(b.arena(), arena);
  EXPECT_NE(c.arena(), arena);
}

TEST_P(NnParameter, NeighboursFormOneRun) {
  const nn::Parameter c = parameter({8}, "c");
  const nn::Parameter all[] = {a, b, c};
  nn::Parameter::gather(all);
  EXPECT_EQ(nn::spans_of(all, false).size(), 1u);
  EXPECT_EQ(nn::spans_of(all, false)[0].count, 8);
  EXPECT_TRUE(nn::spans_of(all, true).empty());
  set_gradient(a, {1, 1, 1, 1});
  set_gradient(c, {1});
  const auto runs = nn::spans_of(all, true);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].start, 7);
  EXPECT_TRUE(same_values(runs[0].master(), {1, 2, 3, 4}));
  EXPECT_TRUE(same_values(runs[1].gradient(), {1}));
  const nn::Parameter reversed[] = {b, a};
  EXPECT_EQ(nn::spans_of(reversed, false).size(), 2u);
}

TEST_P(NnParameter, AWorkingCopyIsMadeOnceForTheArena) {
  const nn::Parameter both[] = {a, b};
  nn::Parameter::gather(both);
  device->reset_counters();
  const Tensor copy = a.working_copy(DType::bf16);
  b.working_copy(DType::bf16);
  EXPECT_EQ(launches(KernelId::cast), 1u);
  EXPECT_EQ(copy.dtype(), DType::bf16);
  EXPECT_EQ(copy.shape(), (Shape{2, 2}));
  EXPECT_EQ(copy.buffer(), b.working_copy(DType::bf16).buffer());
  EXPECT_THROW(a.working_copy(DType::f32), Error);
}

TEST_P(NnParameter, AWorkingCopyGathersItsGradientInTheMastersLeaf) {
  const Tensor copy = a.working_copy(DType::f16);
  sum(copy * copy).backward(scalar(1, DType::f16));
  EXPECT_EQ(a.grad().dtype(), DType::f32);
  EXPECT_TRUE(same_values(a.grad(), {2, 4, 6, 8}));
}

TEST_P(NnParameter, WritingTheMasterMakesEveryCopyStale) {
  for (const DType low : kLowTypes) a.working_copy(low);
  Tensor master = a.tensor();
  master.assign(std::vector<float>{9, 9, 9, 9});
  EXPECT_FALSE(a.arena()->fresh_working_copy().defined());
  for (const DType low : kLowTypes) EXPECT_TRUE(same_values(a.working_copy(low), {9, 9, 9, 9}));
  EXPECT_TRUE(a.arena()->fresh_working_copy().defined());
}

TEST_P(NnParameter, FreezingStopsTheTape) {
  a.set_requires_grad(false);
  EXPECT_FALSE(a.requires_grad());
  EXPECT_FALSE(linear(tensor({1, 2}, {1, 1}), a).requires_grad());
  const amp::Autocast region(DType::f16);
  EXPECT_FALSE(linear(tensor({1, 2}, {1, 1}), a).requires_grad());
  a.set_requires_grad(true);
  EXPECT_TRUE(linear(tensor({1, 2}, {1, 1}), a).requires_grad());
}

TEST_P(NnParameter, ItsValuesMustFitItsShape) {
  EXPECT_EQ(message_of([&] { parameter_of({2}, {1, 2, 3}, "w"); }), "parameter 'w' of shape [2] was given 3 values");
}

}  // namespace
}  // namespace amphora::testing
