#include <cmath>

#include "amphora/kernel/optimizers.h"
#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleOptim : public OracleTest {
 protected:
  DeviceState<GroupState> group_of(float lr) { return state(GroupState{lr, 0, 0, 1.0f, 1.0f, 1.0f}); }

  void begin_step(const DeviceState<GroupState>& group, float found_inf = 0.0f, float scale = 1.0f,
                  bool unscale = false) {
    launch(KernelId::begin_step, {},
           BeginStepParams{.decay1 = 0.9f,
                           .decay1_low = low_part(0.9),
                           .decay2 = 0.999f,
                           .decay2_low = low_part(0.999),
                           .unscale = unscale ? 1 : 0},
           {group, state(GradientStats{found_inf}), state(ScalerState{scale, 0, 1, found_inf, 0, 0})});
  }

  // One element's optimizer: parameter and state, and a step with one gradient.
  struct Scalar {
    Elements master;
    Elements first;   // momentum, or Adam's m
    Elements second;  // Adam's v
    DeviceState<GroupState> group;
    double value() const { return master.read()[0]; }
  };
  Scalar scalar(float lr) { return {f32({1}), f32({kNaN}), f32({0}), group_of(lr)}; }

  void sgd(const Scalar& s, double gradient, const constants::sgd& values) {
    begin_step(s.group, std::isfinite(gradient) ? 0.0f : 1.0f);
    step(OptimizerRule::sgd, {}, optimizer_params(1, values), {f32({gradient}), s.master, kAbsent, s.first}, s.group);
  }
  void adam(const Scalar& s, double gradient, const constants::adam& values) {
    begin_step(s.group, std::isfinite(gradient) ? 0.0f : 1.0f);
    step(OptimizerRule::adam, {}, optimizer_params(1, values), {f32({gradient}), s.master, kAbsent, s.first, s.second},
         s.group);
  }
  // `buffers`: those before the group; states that are left away are absent.
  void step(OptimizerRule rule, std::array<DType, kMaxBuffers> types, const OptimizerParams& params,
            std::vector<BufferRange> buffers, const BufferRange& group) {
    KernelCall call(KernelId::optimizer_step, {.types = types, .function = static_cast<std::uint8_t>(rule)}, params);
    buffers.resize(6);
    for (const BufferRange& buffer : buffers) call.with(buffer);
    device->launch(call.with(group));
  }
};

constexpr constants::adam kAdam{.complement1 = 1.0 - 0.9,
                                .beta2 = 0.999,
                                .complement2 = 1.0 - 0.999,
                                .epsilon = 1e-8f,
                                .l2 = 0.0,
                                .weight_decay = 0.0};
constexpr constants::sgd kPlainSgd{.mu = 0.0, .undamped = 1.0, .l2 = 0.0, .nesterov = 0.0};

TEST_F(OracleOptim, BeginStepCountsAppliedStepsOnly) {
  const auto group = group_of(0.1f);
  begin_step(group, 1.0f);
  EXPECT_EQ(group.read().skip, 1);
  EXPECT_EQ(group.read().step, 0);
  begin_step(group);
  begin_step(group);
  EXPECT_EQ(group.read().skip, 0);
  EXPECT_EQ(group.read().step, 2);
  EXPECT_EQ(group.read().correction1, 0.19f);
  EXPECT_EQ(group.read().correction2, static_cast<float>(std::sqrt(1.0 - 0.999 * 0.999)));
}

TEST_F(OracleOptim, AnyNonZeroFoundInfSkips) {
  const auto group = group_of(0.1f);
  begin_step(group, 2.0f);
  EXPECT_EQ(group.read().skip, 1);
}

TEST_F(OracleOptim, BeginStepGivesTheInverseScaleWhereGradientsCarryIt) {
  const auto group = group_of(0.1f);
  begin_step(group, 0.0f, 3.0f, true);
  EXPECT_EQ(group.read().gradient_factor, 0.3333333432674408f);
  begin_step(group, 0.0f, 3.0f, false);
  EXPECT_EQ(group.read().gradient_factor, 1.0f);
}

TEST_F(OracleOptim, BeginStepRunsWithoutAScaler) {
  const auto group = group_of(0.1f);
  launch(KernelId::begin_step, {},
         BeginStepParams{.decay1 = 0, .decay1_low = 0, .decay2 = 0, .decay2_low = 0, .unscale = 1},
         {group, kAbsent, kAbsent});
  EXPECT_EQ(group.read().step, 1);
  EXPECT_EQ(group.read().gradient_factor, 1.0f);
}

TEST_F(OracleOptim, SgdWithMomentumSkipsAndStartsFromTheFirstAppliedGradient) {
  const constants::sgd params{.mu = 0.9f, .undamped = 1.0, .l2 = 0.0, .nesterov = 0.0};
  const Scalar s = scalar(0.1f);
  sgd(s, kNaN, params);
  EXPECT_EQ(s.value(), 1.0);
  sgd(s, 1.0, params);  // the buffer held NaN
  EXPECT_EQ(s.value(), 0.8999999761581421);
  sgd(s, kInfinity, params);
  EXPECT_EQ(s.value(), 0.8999999761581421);
  sgd(s, 1.0, params);
  EXPECT_EQ(s.value(), 0.7099999785423279);
  EXPECT_EQ(s.first.read(), Values{1.9f});
}

TEST_F(OracleOptim, SgdAppliesWeightDecayDampeningAndNesterov) {
  const constants::sgd params{.mu = 0.5, .undamped = 0.75, .l2 = 0.5, .nesterov = 1.0};
  const Scalar s = scalar(0.25f);
  sgd(s, 1.5, params);  // g = 1.5 + 0.5 = 2; buffer 2; g + 0.5 * 2 = 3
  EXPECT_EQ(s.value(), 0.25);
  sgd(s, 1.875, params);  // g = 2; buffer 1 + 0.75 * 2 = 2.5; g + 0.5 * 2.5 = 3.25
  EXPECT_EQ(s.value(), 0.25 - 0.8125);
  EXPECT_EQ(s.first.read(), Values{2.5});
}

TEST_F(OracleOptim, SgdWithoutMomentumNeedsNoBuffer) {
  const auto group = group_of(0.5f);
  const Elements master = f32({1, 2});
  begin_step(group);
  step(OptimizerRule::sgd, {}, optimizer_params(2, kPlainSgd), {f32({1, -1}), master}, group);
  EXPECT_EQ(master.read(), (Values{0.5, 2.5}));
}

TEST_F(OracleOptim, TheWorkingCopyIsTheMasterRoundedOnce) {
  const auto group = group_of(1.0f);
  const Elements master = f32({1.0});
  const Elements working = elements(DType::f16, {0});
  begin_step(group);
  step(OptimizerRule::sgd, {DType::bf16, DType::f32, DType::f16}, optimizer_params(1, kPlainSgd),
       {elements(DType::bf16, {-0x1p-12}), master, working}, group);
  EXPECT_EQ(master.read(), Values{1 + 0x1p-12});
  EXPECT_EQ(working.read(), Values{1});
}

TEST_F(OracleOptim, GradientsAreMultipliedByTheGroupsFactor) {
  const auto group = group_of(1.0f);
  const Elements master = f32({1.0});
  begin_step(group, 0.0f, 4.0f, true);
  step(OptimizerRule::sgd, {}, optimizer_params(1, kPlainSgd), {f32({2}), master}, group);
  EXPECT_EQ(master.read(), Values{0.5});
}

TEST_F(OracleOptim, AdamWGivesPyTorchsBits) {
  const Scalar s{f32({1}), f32({0}), f32({0}), group_of(0.1f)};
  adam(s, kNaN, kAdam);
  EXPECT_EQ(s.value(), 1.0);
  adam(s, 1.0, kAdam);
  EXPECT_EQ(s.value(), 0.9000000357627869);
  EXPECT_EQ(s.first.read(), Values{0.10000000149011612});
  EXPECT_EQ(s.second.read(), Values{0.0010000000474974513});
  adam(s, -kInfinity, kAdam);
  EXPECT_EQ(s.value(), 0.9000000357627869);
  adam(s, 0.5, kAdam);
  EXPECT_EQ(s.value(), 0.80678206682205200);
  EXPECT_EQ(s.first.read(), Values{0.14000000059604645});
  EXPECT_EQ(s.second.read(), Values{0.0012490000808611512});
  EXPECT_EQ(s.group.read().step, 2);
}

TEST_F(OracleOptim, WeightDecayIsDecoupledOrPartOfTheGradient) {
  constants::adam params = kAdam;
  params.weight_decay = 0.5;
  const Scalar decoupled{f32({1}), f32({0}), f32({0}), group_of(0.1f)};
  adam(decoupled, 0.0, params);
  EXPECT_FLOAT_EQ(static_cast<float>(decoupled.value()), 0.95f);
  EXPECT_EQ(decoupled.first.read(), Values{0});
  params.weight_decay = 0.0;
  params.l2 = 0.5;
  const Scalar coupled{f32({1}), f32({0}), f32({0}), group_of(0.1f)};
  adam(coupled, 0.0, params);
  EXPECT_FLOAT_EQ(static_cast<float>(coupled.value()), 0.9f);
  EXPECT_FLOAT_EQ(static_cast<float>(coupled.first.read()[0]), 0.05f);
}

TEST_F(OracleOptim, AdamWithoutMemoryKeepsTheGradientItself) {
  constants::adam params = kAdam;
  params.complement1 = 1.0;
  const Scalar s{f32({1}), f32({1e8}), f32({0}), group_of(0.1f)};
  adam(s, 1e-8, params);
  EXPECT_EQ(s.first.read(), Values{1e-8f});
}

TEST_F(OracleOptim, AdamKeepsF64MastersInF64) {
  const auto group = group_of(0.5f);
  const Elements master = f64({1});
  const Elements m = f64({0});
  const Elements v = f64({0});
  begin_step(group);
  step(OptimizerRule::adam, {DType::f64, DType::f64, DType::f32, DType::f64}, optimizer_params(1, kAdam),
       {f64({0x1p-30}), master, kAbsent, m, v}, group);
  const double of_beta = 0x1p-49;  // two f32 hold a number below 1 to half of this
  EXPECT_NEAR(m.read()[0], 0x1p-30 * (1.0 - 0.9), 0x1p-30 * of_beta);
  EXPECT_NEAR(v.read()[0], 0x1p-60 * (1.0 - 0.999), 0x1p-60 * of_beta);
}

TEST_F(OracleOptim, LerpMovesTheAverageTowardsItsSource) {
  const Elements average = f32({1, -1});
  launch(KernelId::lerp, {}, LerpParams{2, 0.25f}, {f32({5, 3}), average});
  EXPECT_EQ(average.read(), (Values{2, 0}));
  launch(KernelId::lerp, {}, LerpParams{2, 1.0f}, {f32({1e-8f, 7}), average});
  EXPECT_EQ(average.read(), (Values{1e-8f, 7}));
}

}  // namespace
}  // namespace amphora::testing
