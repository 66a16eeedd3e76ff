// Learning rate schedules, and the average of the weights.
#include <cmath>
#include <numbers>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

TEST(OptimSchedule, Constant) {
  const optim::Schedule schedule = optim::constant(0.5f);
  for (const std::int64_t step : {0, 1, 1'000'000}) EXPECT_EQ(schedule(step), 0.5f);
}

TEST(OptimSchedule, TheWarmUpRisesLinearlyToTheRate) {
  const optim::Schedule schedule = optim::warmup_cosine(2, 4, 100);
  EXPECT_EQ(schedule(0), 0.5f);
  EXPECT_EQ(schedule(1), 1.0f);
  EXPECT_EQ(schedule(3), 2.0f);
  EXPECT_EQ(schedule(4), 2.0f);
}

TEST(OptimSchedule, TheCosineFallsToItsFloorAndStaysThere) {
  const optim::Schedule schedule = optim::warmup_cosine(1, 0, 100, 0.25f);
  for (std::int64_t step = 0; step <= 100; ++step) {
    const double want = 0.25 + 0.75 * 0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / 100));
    EXPECT_NEAR(schedule(step), want, 4 * 0x1p-24) << step;
  }
  EXPECT_EQ(schedule(100), 0.25f);
  EXPECT_EQ(schedule(1000), 0.25f);
}

TEST(OptimSchedule, AWarmUpOfTheWholeLengthHasNoCosine) {
  const optim::Schedule schedule = optim::warmup_cosine(1, 4, 4);
  EXPECT_EQ(schedule(3), 1.0f);
  EXPECT_TRUE(std::isfinite(schedule(4)));
}

TEST(OptimSchedule, StepsDecay) {
  const optim::Schedule schedule = optim::step_decay(8, 10, 0.5f);
  EXPECT_EQ(schedule(0), 8.0f);
  EXPECT_EQ(schedule(9), 8.0f);
  EXPECT_EQ(schedule(10), 4.0f);
  EXPECT_EQ(schedule(35), 1.0f);
}

TEST(OptimSchedule, LengthsOutOfRangeAreErrors) {
  EXPECT_THROW(optim::warmup_cosine(1, -1, 10), Error);
  EXPECT_THROW(optim::warmup_cosine(1, 11, 10), Error);
  EXPECT_THROW(optim::step_decay(1, 0, 0.5f), Error);
}

class OptimEma : public CpuTest {
 protected:
  nn::Parameter a = parameter({1, 2}, "a");
  nn::Parameter b = parameter({8}, "b");
};
AMPHORA_ON_CPU(OptimEma);

TEST_P(OptimEma, TheAverageFollowsByItsDecay) {
  optim::Sgd sgd({a, b}, {.lr = 1});
  optim::Ema ema({a, b}, 0.75f);
  set_gradient(b, {-8});
  sgd.step();
  ema.update();
  EXPECT_EQ(ema.average(b).item(), 8 + 0.25 * 8);
  ema.update();
  EXPECT_EQ(ema.average(b).item(), 10 + 0.25 * 6);
  EXPECT_TRUE(same_values(ema.average(a), {1, 2}));
  EXPECT_EQ(b.tensor().item(), 16);
}

TEST_P(OptimEma, TwentyUpdatesFollowTheReference) {
  Random random;
  const nn::Parameter w = parameter(random.normals(65));
  optim::Ema ema({w}, 0.9f);
  Values average = w.tensor().to_doubles();
  for (int step = 0; step < 20; ++step) {
    Tensor master = w.tensor();
    const Values next = random.normals(65);
    master.assign(std::vector<float>(next.begin(), next.end()));
    ema.update();
    const Values now = master.to_doubles();
    for (std::size_t i = 0; i < now.size(); ++i) average[i] += (1 - static_cast<double>(0.9f)) * (now[i] - average[i]);
  }
  // Three roundings an update of values below 8, each forgotten at a rate of 0.9; the weight 1 - 0.9f is exact.
  EXPECT_TRUE(close_values(ema.average(w).to_doubles(), average, 10 * 3 * 8 * 0x1p-24));
}

TEST_P(OptimEma, AScopeEvaluatesWithTheAverageAndRestoresEveryBit) {
  Random random;
  const nn::Parameter w = parameter(random.normals(9));
  optim::Ema ema({w}, 0.5f);
  const auto average = bytes_of(ema.average(w));
  Tensor master = w.tensor();
  master.assign(std::vector<float>(9, 3.25f));
  const auto trained = bytes_of(w.tensor());
  EXPECT_EQ(w.working_copy(DType::f16).to_doubles()[0], 3.25);
  {
    const optim::Ema::Scope scope(ema);
    EXPECT_EQ(bytes_of(w.tensor()), average);
    EXPECT_EQ(bytes_of(w.working_copy(DType::f16)), bytes_of(cast(w, DType::f16)));
  }
  EXPECT_EQ(bytes_of(w.tensor()), trained);
  EXPECT_EQ(bytes_of(ema.average(w)), average);
  EXPECT_EQ(w.working_copy(DType::f16).to_doubles()[0], 3.25);
}

TEST_P(OptimEma, FollowsParametersThatAnOptimizerMoves) {
  optim::Ema before({a, b}, 0.5f);
  optim::Sgd sgd({a, b}, {.lr = 0.25f});
  optim::Ema after({a, b}, 0.5f);
  for (int i = 0; i < 3; ++i) {
    sum(a.tensor() * a.tensor()).backward();
    sum(b.tensor()).backward();
    sgd.step();
    sgd.zero_grad();
    before.update();
    after.update();
  }
  for (const nn::Parameter& parameter : {a, b}) {
    EXPECT_EQ(bytes_of(before.average(parameter)), bytes_of(after.average(parameter)));
  }
}

TEST_P(OptimEma, WhatIsNotAveragedIsAnError) {
  optim::Ema ema({a}, 0.5f);
  EXPECT_THROW(ema.average(b), Error);
  EXPECT_THROW(optim::Ema({a}, 1.0f), Error);
  EXPECT_THROW(optim::Ema({a}, -0.5f), Error);
}

}  // namespace
}  // namespace amphora::testing
