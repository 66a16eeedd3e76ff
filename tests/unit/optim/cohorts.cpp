// Step counters of parameters, rates of groups, and both in steps that are recorded.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OptimCohorts : public CpuTest {
 protected:
  nn::Parameter a = parameter({1}, "a");
  nn::Parameter b = parameter({1}, "b");
  // a has gradients but for step 4, b from step 2 on.
  void step(optim::Optimizer& optimizer, int t) {
    optimizer.zero_grad();
    if (t != 4) set_gradient(a, {1.0 + t});
    if (t >= 2) set_gradient(b, {2.0 - t});
    optimizer.step();
  }
};
AMPHORA_ON_CPU(OptimCohorts);

// What PyTorch's f64 gives.
TEST_P(OptimCohorts, AdamCountsTheStepsOfEachParameter) {
  optim::Adam adam({a, b}, {.lr = 0.01f});
  for (int t = 0; t < 6; ++t) step(adam, t);
  EXPECT_NEAR(a.tensor().item(), 0.9516634006995851, 6 * 4 * 0x1p-24);
  EXPECT_NEAR(b.tensor().item(), 1.0244420253592579, 6 * 4 * 0x1p-24);
  EXPECT_EQ(adam.steps(a), 5);
  EXPECT_EQ(adam.steps(b), 4);
  EXPECT_EQ(adam.steps(), 5);
}

TEST_P(OptimCohorts, AMomentumBeginsWithTheParametersFirstGradient) {
  optim::Sgd sgd({a, b}, {.lr = 0.1f, .momentum = 0.9f, .dampening = 0.5f});
  for (int t = 0; t < 6; ++t) step(sgd, t);
  EXPECT_NEAR(a.tensor().item(), -0.8399099807439746, 6 * 8 * 0x1p-24);
  EXPECT_NEAR(b.tensor().item(), 1.4755000013634563, 6 * 8 * 0x1p-24);
}

TEST_P(OptimCohorts, ASkippedStepDoesNotCountForALateParameter) {
  optim::Adam adam({a, b}, {.lr = 0.01f});
  amp::GradScaler scaler({.init_scale = 1});
  scaler.scale(scalar(1));
  const auto scaled = [&](double of_a, std::optional<double> of_b) {
    adam.zero_grad();
    set_gradient(a, {of_a});
    if (of_b) set_gradient(b, {*of_b});
    scaler.step(adam);
    scaler.update();
  };
  scaled(1, {});
  scaled(kInf, 1);
  scaled(1, 1);
  EXPECT_EQ(adam.steps(a), 2);
  EXPECT_EQ(adam.steps(b), 1);
  EXPECT_NEAR(b.tensor().item(), 0.99, 4 * 0x1p-24);
}

TEST_P(OptimCohorts, ParametersThatStepTogetherAgainAreOneLaunchEach) {
  const nn::Parameter c = parameter({1}, "c");
  optim::Adam adam({a, b, c});
  set_gradient(c, {1});
  adam.step();
  set_gradient(a, {1});
  set_gradient(b, {1});
  device->reset_counters();
  adam.step();
  EXPECT_EQ(launches(KernelId::begin_step), 2u);
  EXPECT_EQ(launches(KernelId::optimizer_step), 2u);  // a and b are one
  EXPECT_EQ(launches(KernelId::copy) + launches(KernelId::cast), 0u) << "nothing splits";
}

// The weights after `steps` steps, in which b is frozen at first.
TEST_P(OptimCohorts, RecordedStepsHaveTheBitsOfEagerOnes) {
  const auto train = [&](bool eager) {
    nn::Parameter x = parameter({1, 2}, "x"), y = parameter({3}, "y");
    optim::Adam adam({x, y}, {.lr = 0.01f});
    y.set_requires_grad(false);
    train::Step step(*device,
                     [&](const Tensor& batch) {
                       Tensor loss = sum(x.tensor() * batch) + sum(y.tensor() * y.tensor());
                       loss.backward();
                       adam.step();
                       adam.zero_grad();
                       return loss;
                     },
                     {.eager = eager});
    for (int i = 0; i < 12; ++i) {
      if (i == 5) y.set_requires_grad(true);
      step(vector({1.0 + i, -1}));
    }
    EXPECT_EQ(adam.steps(x), 12);
    EXPECT_EQ(adam.steps(y), 7);
    return std::vector{bytes_of(x.tensor()), bytes_of(y.tensor())};
  };
  EXPECT_EQ(train(false), train(true));
}

class OptimRates : public OptimCohorts {
 protected:
  // Steps of size lr, recorded.
  template <class Between>
  void run(optim::Optimizer& optimizer, int steps, const Between& between) {
    train::Step step(*device, [&](const Tensor& batch) {
      Tensor loss = sum(a.tensor() * batch) + sum(b.tensor() * batch);
      loss.backward();
      optimizer.step();
      optimizer.zero_grad();
      return loss;
    });
    const Tensor one = vector({1});
    for (int i = 0; i < steps; ++i) {
      between(i);
      step(one);
    }
  }
};
AMPHORA_ON_CPU(OptimRates);

TEST_P(OptimRates, ARecordedStepTakesUpAScheduleThatComesLater) {
  optim::Sgd sgd({a, b}, {.lr = 1});
  run(sgd, 8, [&](int i) {
    if (i == 4) sgd.follow(optim::constant(0.25f));
  });
  EXPECT_EQ(a.tensor().item(), 1 - 4 - 4 * 0.25);
  EXPECT_EQ(sgd.lr(), 0.25f);
}

TEST_P(OptimRates, AScheduleMayEnd) {
  optim::Sgd sgd({a, b}, {.lr = 1});
  sgd.follow([](std::int64_t step) { return step < 2 ? 1.0f : 0.5f; });
  run(sgd, 8, [&](int i) {
    if (i == 4) sgd.follow({});
    if (i == 6) sgd.set_lr(0.25f);
  });
  EXPECT_EQ(a.tensor().item(), 1 - 2 - 4 * 0.5 - 2 * 0.25);
}

TEST_P(OptimRates, GroupsFollowSchedulesOfTheirOwn) {
  optim::Sgd sgd({{{a}, {.lr = 1}}, {{b}, {.lr = 1}}});
  sgd.follow(1, [](std::int64_t step) { return step < 3 ? 0.5f : 0.25f; });
  run(sgd, 6, [](int) {});
  EXPECT_EQ(a.tensor().item(), 1 - 6);
  EXPECT_EQ(b.tensor().item(), 1 - 3 * 0.5 - 3 * 0.25);
  EXPECT_THROW(sgd.follow(2, optim::constant(1)), Error);
}

TEST_P(OptimRates, AFrozenGroupComesBackWithTheRateOfItsSchedule) {
  optim::Sgd sgd({{{a}, {.lr = 1}}, {{b}, {.lr = 1}}});
  sgd.follow([](std::int64_t step) { return step < 5 ? 1.0f : 0.125f; });
  b.set_requires_grad(false);
  run(sgd, 12, [&](int i) {
    if (i == 10) b.set_requires_grad(true);
  });
  EXPECT_EQ(b.tensor().item(), 1 - 2 * 0.125);
}

}  // namespace
}  // namespace amphora::testing
