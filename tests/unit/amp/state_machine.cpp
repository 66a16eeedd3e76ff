// The order of the GradScaler's calls, its errors and its saved state: vectors M1 to M15.
#include "support/cpu_test.h"
#include "support/saved_state.h"

namespace amphora::testing {
namespace {

class AmpStateMachine : public CpuTest {
 protected:
  void start() { scaler.scale(scalar(1)); }
  void clean_step() {
    set_gradient(w, {1});
    scaler.step(sgd);
    scaler.update();
  }

  amp::GradScaler scaler;
  nn::Parameter w = parameter({0.5});
  optim::Sgd sgd{{w}, {.lr = 1}};
};
AMPHORA_ON_CPU(AmpStateMachine);

TEST_P(AmpStateMachine, M1_NothingRunsBeforeTheFirstScale) {
  EXPECT_THROW(scaler.unscale(sgd), StateError);
  EXPECT_THROW(scaler.step(sgd), StateError);
  EXPECT_THROW(scaler.update(), StateError);
  EXPECT_THROW(scaler.update(2.0f), StateError);
  EXPECT_EQ(scaler.scale_value(), 65536.0f);
  EXPECT_EQ(scaler.read_state(), nullptr);
  EXPECT_EQ(message_of([&] { scaler.step(sgd); }),
            "GradScaler::step before the first scale(): scale the loss and call backward() first");
}

TEST_P(AmpStateMachine, M2_UpdateNeedsAnOptimizer) {
  start();
  EXPECT_THROW(scaler.update(), StateError);
}

TEST_P(AmpStateMachine, M3_NoGradientsAreACleanRecordedStep) {
  start();
  EXPECT_TRUE(scaler.step(sgd).applied());
  EXPECT_THROW(scaler.step(sgd), StateError);
  EXPECT_NO_THROW(scaler.update());
  EXPECT_EQ(device_state(scaler).growth_tracker, 1);
  EXPECT_EQ(w.tensor().item(), 0.5);
  EXPECT_EQ(sgd.steps(), 0);
  scaler.unscale(sgd);
  EXPECT_NO_THROW(scaler.update());
  EXPECT_EQ(device_state(scaler).growth_tracker, 2);
}

TEST_P(AmpStateMachine, M4_UnscaleRunsOnce) {
  start();
  set_gradient(w, {1});
  scaler.unscale(sgd);
  EXPECT_THROW(scaler.unscale(sgd), StateError);
  EXPECT_EQ(w.grad().item(), 0x1p-16);  // the refused call changed nothing
}

TEST_P(AmpStateMachine, M5_StepRunsOnceAndUnscaleNotAfterIt) {
  start();
  set_gradient(w, {1});
  scaler.unscale(sgd);
  scaler.step(sgd);
  EXPECT_THROW(scaler.step(sgd), StateError);
  EXPECT_EQ(message_of([&] { scaler.unscale(sgd); }),
            "GradScaler::unscale after step(): call it before step(), once between updates");
  scaler.update();
  EXPECT_EQ(device_state(scaler).growth_tracker, 1);
  EXPECT_EQ(w.tensor().item(), 0.5 - 0x1p-16);
  EXPECT_EQ(sgd.steps(), 1);
}

TEST_P(AmpStateMachine, M5_ARefusedSecondStepWithoutUnscaleChangesNothing) {
  start();
  set_gradient(w, {65536});
  scaler.step(sgd);
  EXPECT_THROW(scaler.step(sgd), StateError);
  EXPECT_EQ(w.tensor().item(), -0.5);
}

TEST_P(AmpStateMachine, M7_FactorsOutOfRangeAreRefusedUnlessDisabled) {
  EXPECT_THROW(amp::GradScaler({.growth_factor = 1.0f}), Error);
  EXPECT_THROW(amp::GradScaler({.backoff_factor = 1.0f}), Error);
  EXPECT_THROW(amp::GradScaler({.backoff_factor = 0.0f}), Error);
  EXPECT_THROW(amp::GradScaler({.growth_factor = static_cast<float>(kNan)}), Error);
  EXPECT_NO_THROW(amp::GradScaler({.growth_factor = 1.0f, .enabled = false}));
  EXPECT_NO_THROW(amp::GradScaler({.backoff_factor = 1.0f, .enabled = false}));
}

TEST_P(AmpStateMachine, M7_OtherOptionsOutOfRangeAreRefused) {
  for (const float bad : {0.0f, -1.0f, static_cast<float>(kInf), static_cast<float>(kNan)}) {
    EXPECT_THROW(amp::GradScaler({.init_scale = bad, .min_scale = 0}), Error) << bad;
  }
  EXPECT_THROW(amp::GradScaler({.growth_interval = -1}), Error);
  EXPECT_THROW(amp::GradScaler({.hysteresis = 0}), Error);
  EXPECT_THROW(amp::GradScaler({.init_scale = 1, .min_scale = 2}), Error);
  EXPECT_THROW(amp::GradScaler({.init_scale = 4, .max_scale = 2}), Error);
}

TEST_P(AmpStateMachine, M7_ARefusedSetterKeepsTheOption) {
  EXPECT_THROW(scaler.set_growth_factor(0.5f), Error);
  EXPECT_THROW(scaler.set_backoff_factor(2.0f), Error);
  EXPECT_THROW(scaler.set_growth_interval(-1), Error);
  EXPECT_EQ(scaler.options().growth_factor, 2.0f);
  EXPECT_EQ(scaler.options().backoff_factor, 0.5f);
  EXPECT_EQ(scaler.options().growth_interval, 2000);
}

TEST_P(AmpStateMachine, M8_AnEmptyListGivesOneAndCreatesNoState) {
  EXPECT_TRUE(scaler.scale(std::vector<Tensor>{}).empty());
  EXPECT_EQ(scaler.read_state(), nullptr);
  EXPECT_THROW(scaler.scale(Tensor()), Error);
  EXPECT_THROW(scaler.scale(labels({3})), Error);
}

TEST_P(AmpStateMachine, M9_EveryLossOfAListIsScaled) {
  amp::GradScaler small({.init_scale = 8});
  const std::vector<Tensor> scaled = small.scale({scalar(1), vector({1, 1}), scalar(3)});
  ASSERT_EQ(scaled.size(), 3u);
  EXPECT_EQ(scaled[0].item(), 8);
  EXPECT_TRUE(same_values(scaled[1], {8, 8}));
  EXPECT_EQ(scaled[2].item(), 24);
}

TEST_P(AmpStateMachine, M9_ScaledLossesAreF32OfAnyLowType) {
  for (const DType low : kLowTypes) {
    const Tensor loss = vector({1, 3}, low).set_requires_grad();
    const Tensor scaled = scaler.scale(loss);
    EXPECT_EQ(scaled.dtype(), DType::f32);
    EXPECT_TRUE(same_values(scaled, {65536, 196608}));  // above the largest f16
  }
}

TEST_P(AmpStateMachine, M10_AnEmptyStateIsRefusedUnlessDisabled) {
  EXPECT_THROW(restore(scaler, {}), Error);
  amp::GradScaler off({.enabled = false});
  EXPECT_NO_THROW(restore(off, {}));
}

TEST_P(AmpStateMachine, M10_AMissingEntryIsNamedAndNothingChanges) {
  SavedState state = saved(scaler);
  state.numbers["scale"] = 4;
  state.numbers.erase("growth_interval");
  EXPECT_EQ(message_of([&] { restore(scaler, state); }), "the entry 'growth_interval' is missing");
  EXPECT_EQ(scaler.scale_value(), 65536.0f);
}

TEST_P(AmpStateMachine, M10_AnEntryOutOfRangeIsRefusedAndNothingChanges) {
  SavedState state = saved(scaler);
  state.numbers["scale"] = 4;
  state.numbers["growth_factor"] = 0.5;
  EXPECT_THROW(restore(scaler, state), Error);
  state.numbers["growth_factor"] = 2;
  state.numbers["_growth_tracker"] = 0x1p40;
  EXPECT_EQ(message_of([&] { restore(scaler, state); }), "'_growth_tracker' is 1099511627776, which is out of range");
  EXPECT_EQ(scaler.scale_value(), 65536.0f);
}

TEST_P(AmpStateMachine, M11_AStateIsLoadedBeforeAndAfterTheFirstScale) {
  amp::GradScaler source({.init_scale = 3, .growth_factor = 4, .backoff_factor = 0.5f, .growth_interval = 2});
  for (const bool started : {false, true}) {
    amp::GradScaler target({.init_scale = 6, .growth_factor = 7, .backoff_factor = 0.8f, .growth_interval = 1});
    SavedState preset = saved(target);
    preset.numbers["_growth_tracker"] = 7;
    restore(target, preset);
    if (started) target.scale(scalar(1));
    restore(target, saved(source));
    if (!started) target.scale(scalar(1));
    EXPECT_EQ(target.scale_value(), 3.0f);
    EXPECT_EQ(device_state(target).growth_tracker, 0);
    EXPECT_EQ(target.options().growth_factor, 4.0f);
    EXPECT_EQ(target.options().backoff_factor, 0.5f);
    EXPECT_EQ(target.options().growth_interval, 2);
  }
}

TEST_P(AmpStateMachine, M11_PyTorchsFiveEntriesAreEnough) {
  const SavedState five = {
      .tensors = {},
      .numbers = {
          {"scale", 3}, {"growth_factor", 4}, {"backoff_factor", 0.5}, {"growth_interval", 2}, {"_growth_tracker", 1}}};
  restore(scaler, five, StateReader::Missing::stays);
  start();
  clean_step();
  EXPECT_EQ(scaler.scale_value(), 12.0f);
}

TEST_P(AmpStateMachine, M12_TheStateHasPyTorchsNames) {
  amp::GradScaler source({.init_scale = 3, .growth_factor = 4, .backoff_factor = 0.5f, .growth_interval = 2});
  const std::map<std::string, double> state = saved(source).numbers;
  EXPECT_EQ(state.at("scale"), 3);
  EXPECT_EQ(state.at("growth_factor"), 4);
  EXPECT_EQ(state.at("backoff_factor"), 0.5);
  EXPECT_EQ(state.at("growth_interval"), 2);
  EXPECT_EQ(state.at("_growth_tracker"), 0);
  EXPECT_EQ(source.state(), state);
  amp::GradScaler off({.enabled = false});
  EXPECT_EQ(saved(off), SavedState());
}

TEST_P(AmpStateMachine, M13_TheStateIsSavedAfterUpdateAndTrainingContinuesIdentically) {
  scaler.set_growth_interval(3);
  start();
  clean_step();
  set_gradient(w, {1});
  scaler.unscale(sgd);
  EXPECT_THROW(saved(scaler), StateError);
  scaler.step(sgd);
  EXPECT_THROW(saved(scaler), StateError);
  scaler.update();
  amp::GradScaler restored;
  restore(restored, saved(scaler));
  start();
  restored.scale(scalar(1));
  clean_step();
  GradientList other({vector({1})});
  restored.step(other);
  restored.update();
  EXPECT_EQ(scaler.scale_value(), 131072.0f);
  EXPECT_EQ(restored.scale_value(), 131072.0f);
  EXPECT_EQ(saved(restored), saved(scaler));
}

TEST_P(AmpStateMachine, M14_ADisabledScalerProtectsNothing) {
  amp::GradScaler off({.enabled = false});
  const Tensor loss = scalar(3);
  EXPECT_TRUE(off.scale(loss).is_same(loss));
  EXPECT_EQ(off.scale_value(), 1.0f);
  EXPECT_FALSE(off.is_enabled());
  set_gradient(w, {kInf});
  EXPECT_NO_THROW(off.unscale(sgd));
  EXPECT_TRUE(off.step(sgd).applied());
  EXPECT_NO_THROW(off.update());
  EXPECT_EQ(w.tensor().item(), -kInf);
}

TEST_P(AmpStateMachine, M15_GradientsSetAfterUnscaleAreNotJudgedAgain) {
  start();
  set_gradient(w, {1});
  scaler.unscale(sgd);
  set_gradient(w, {kNan});
  EXPECT_TRUE(scaler.step(sgd).applied());
  EXPECT_TRUE(same_values(w.tensor(), {kNan}));
  scaler.update();
  EXPECT_EQ(device_state(scaler).growth_tracker, 1);
  EXPECT_EQ(device_state(scaler).skipped, 0);
}

}  // namespace
}  // namespace amphora::testing
