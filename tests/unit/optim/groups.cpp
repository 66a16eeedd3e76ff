// Groups, frozen parameters, shared arenas, and steps that are skipped on the device.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OptimGroups : public CpuTest {
 protected:
  nn::Parameter a = parameter({1, 2}, "a");
  nn::Parameter b = parameter({3}, "b");
  nn::Parameter c = parameter({4, 5, 6}, "c");
};
AMPHORA_ON_CPU(OptimGroups);

TEST_P(OptimGroups, EachGroupHasItsOptions) {
  optim::Sgd sgd({{{a}, {.lr = 1}}, {{b, c}, {.lr = 0.5f, .momentum = 0.5f}}});
  for (int step = 0; step < 2; ++step) {
    set_gradient(a, {1, 1});
    set_gradient(b, {2});
    set_gradient(c, {0, 0, 2});
    sgd.step();
  }
  EXPECT_TRUE(same_values(a.tensor(), {-1, 0}));
  EXPECT_TRUE(same_values(b.tensor(), {3 - 1 - 1.5}));
  EXPECT_TRUE(same_values(c.tensor(), {4, 5, 6 - 1 - 1.5}));
  EXPECT_EQ(sgd.group_count(), 2);
  EXPECT_EQ(sgd.lr(1), 0.5f);
  EXPECT_THROW(sgd.lr(2), Error);
}

TEST_P(OptimGroups, RatesChangeBetweenSteps) {
  optim::Sgd sgd({{{a}, {.lr = 1}}, {{b}, {.lr = 1}}});
  const auto step = [&] {
    set_gradient(a, {1, 1});
    set_gradient(b, {1});
    sgd.step();
  };
  sgd.set_lr(1, 0.25f);
  step();
  sgd.set_lr(0.5f);
  step();
  EXPECT_TRUE(same_values(a.tensor(), {1 - 1.5, 2 - 1.5}));
  EXPECT_EQ(b.tensor().item(), 3 - 0.75);
  EXPECT_THROW(sgd.set_lr(-1), Error);
  EXPECT_THROW(sgd.set_lr(7, 1.0f), Error);
}

TEST_P(OptimGroups, ParametersWithoutGradientStay) {
  optim::AdamW adamw({a, b, c}, {.lr = 0.1f, .weight_decay = 0.5f});
  set_gradient(a, {1, 1});
  set_gradient(c, {1, 1, 1});
  device->reset_counters();
  adamw.step();
  EXPECT_EQ(launches(KernelId::optimizer_step), 2u);  // a and c are not neighbours
  EXPECT_EQ(b.tensor().item(), 3);
  EXPECT_EQ(adamw.state(b, "m").item(), 0);
  EXPECT_NE(c.tensor().to_doubles()[2], 6);
}

TEST_P(OptimGroups, AFrozenParameterGetsNeitherGradientNorStep) {
  optim::Sgd sgd({a, b}, {.lr = 1, .weight_decay = 0.5f});
  b.set_requires_grad(false);
  sum(a * b).backward();
  EXPECT_FALSE(b.grad().defined());
  sgd.step();
  EXPECT_EQ(b.tensor().item(), 3);
  EXPECT_TRUE(same_values(a.tensor(), {1 - 3 - 0.5, 2 - 3 - 1}));
  b.set_requires_grad(true);
  sgd.zero_grad();
  sum(a.tensor() * 0.0f + b).backward();
  sgd.step();
  EXPECT_EQ(b.tensor().item(), 3 - 2 - 1.5);
}

TEST_P(OptimGroups, ZeroGradForgetsWithoutWriting) {
  optim::Sgd sgd({a, b});
  set_gradient(a, {1, 1});
  device->reset_counters();
  sgd.zero_grad();
  EXPECT_FALSE(a.grad().defined());
  EXPECT_EQ(launches(KernelId::fill), 0u);
  sgd.step();
  EXPECT_TRUE(same_values(a.tensor(), {1, 2}));
  EXPECT_EQ(sgd.steps(), 0);
}

TEST_P(OptimGroups, NeighboursAreUpdatedInOneLaunch) {
  optim::Adam adam({a, b, c});
  for (const nn::Parameter& p : {a, b, c}) set_gradient(p, Values(static_cast<std::size_t>(p.count()), 1));
  device->reset_counters();
  adam.step();
  EXPECT_EQ(launches(KernelId::optimizer_step), 1u);
  EXPECT_EQ(launches(KernelId::begin_step), 1u);
  EXPECT_EQ(device->counters().waits, 0u);
}

TEST_P(OptimGroups, AParameterInAnOptimizerTwiceIsAnError) {
  EXPECT_NE(message_of([&] { optim::Sgd({a, b, a}); }).find("'a'"), std::string::npos);
  EXPECT_THROW(optim::Sgd({{{a}, {}}, {{b, a}, {}}}), Error);
}

TEST_P(OptimGroups, ParametersOfTwoDevicesAreAnErrorThatMovesNone) {
  const auto other = open_device("cpu", {.threads = 1, .cpu_oracle = true});
  const nn::Parameter elsewhere(*other, "elsewhere", {1}, std::vector<float>{1});
  const auto arena = a.arena();
  EXPECT_NE(message_of([&] { optim::Sgd({a, elsewhere}); }).find("'elsewhere'"), std::string::npos);
  EXPECT_EQ(a.arena(), arena);
}

TEST_P(OptimGroups, TwoOptimizersShareAnArena) {
  optim::Sgd all({a, b, c}, {.lr = 1, .momentum = 0.5f});
  optim::Adam some({b}, {.lr = 0.5f});
  set_gradient(a, {1, 1});
  all.step();
  all.zero_grad();
  set_gradient(b, {7});
  some.step();
  EXPECT_TRUE(same_values(a.tensor(), {0, 1}));
  EXPECT_NEAR(b.tensor().item(), 2.5, 16 * 0x1p-24);
  EXPECT_TRUE(same_values(c.tensor(), {4, 5, 6}));
  EXPECT_EQ(b.arena(), a.arena());
}

TEST_P(OptimGroups, ALaterOptimizerDoesNotMoveTheParametersOfAnEarlierOne) {
  optim::Sgd first({a}, {.lr = 1, .momentum = 0.5f});
  set_gradient(a, {1, 1});
  first.step();
  optim::Sgd second({a, b, c}, {.lr = 1});
  set_gradient(a, {1, 1});
  first.step();
  EXPECT_TRUE(same_values(a.tensor(), {1 - 1 - 1.5, 2 - 1 - 1.5}));
  EXPECT_TRUE(same_values(first.state(a, "momentum"), {1.5, 1.5}));
  second.step();
  EXPECT_TRUE(same_values(a.tensor(), {1 - 1 - 1.5 - 1, 2 - 1 - 1.5 - 1}));
}

TEST_P(OptimGroups, ASkippedStepChangesNoBit) {
  Random random;
  const nn::Parameter w = parameter(random.normals(77));
  optim::AdamW adamw({w, a}, {.lr = 0.1f});
  optim::Sgd sgd({b}, {.lr = 0.1f, .momentum = 0.9f});
  amp::GradScaler scaler({.init_scale = 8});
  scaler.scale(scalar(1));
  const auto step = [&](double last) {
    Values gradient = random.normals(77);
    gradient.back() = last;
    set_gradient(w, gradient);
    set_gradient(b, {last});
    scaler.step(adamw);
    scaler.step(sgd);
    scaler.update();
  };
  w.working_copy(DType::f16);
  b.working_copy(DType::bf16);
  step(1);
  const auto state = [&] {
    return std::vector{bytes_of(w.tensor()),
                       bytes_of(adamw.state(w, "m")),
                       bytes_of(adamw.state(w, "v")),
                       bytes_of(w.working_copy(DType::f16)),
                       bytes_of(b.tensor()),
                       bytes_of(sgd.state(b, "momentum")),
                       bytes_of(b.working_copy(DType::bf16))};
  };
  const auto before = state();
  for (const double bad : {kInf, -kInf, kNan}) step(bad);
  device->reset_counters();
  EXPECT_EQ(state(), before);
  EXPECT_EQ(launches(KernelId::cast), 0u) << "the working copies are still fresh";
  EXPECT_EQ(adamw.steps(), 1);
  step(1);
  EXPECT_NE(state(), before);
  EXPECT_EQ(adamw.steps(), 2);
}

TEST_P(OptimGroups, StepsUnderAScalerNeverWait) {
  optim::AdamW adamw({a, b, c});
  amp::GradScaler scaler;
  scaler.scale(scalar(1));
  device->reset_counters();
  amp::StepOutcome last;
  for (int step = 0; step < 5; ++step) {
    adamw.set_lr(0.1f / static_cast<float>(step + 1));
    scaler.scale(sum(a * a) + sum(c)).backward();
    scaler.unscale(adamw);
    optim::clip_grad_norm(optim::Parameters{a, b, c}, 1);
    last = scaler.step(adamw);
    scaler.update();
    adamw.zero_grad();
  }
  EXPECT_EQ(device->counters().waits, 0u);
  EXPECT_TRUE(last.applied());
}

TEST_P(OptimGroups, TheWorkingCopyIsTheMasterRoundedAfterEveryStep) {
  Random random;
  const nn::Parameter w = parameter(random.normals(100));
  optim::Sgd sgd({w, a}, {.lr = 0.1f, .momentum = 0.9f});
  for (const DType low : {DType::f16, DType::bf16, DType::f16}) {
    w.working_copy(low);
    for (int step = 0; step < 3; ++step) {
      set_gradient(w, random.normals(100));
      sgd.step();
      device->reset_counters();
      const Tensor copy = w.working_copy(low);
      EXPECT_EQ(launches(KernelId::cast), 0u) << "written by the step";
      EXPECT_EQ(bytes_of(copy), bytes_of(cast(w, low))) << name_of(low);
    }
  }
}

}  // namespace
}  // namespace amphora::testing
