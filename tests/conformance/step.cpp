// begin_step and scaler_update: to skip or not, and the loss scale's next value.
#include <cmath>
#include <limits>

#include "amphora/kernel/two_floats.h"
#include "conformance/formulas.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Step);

BeginStepParams begin_params(double decay1, double decay2, int unscale) {
  return {static_cast<float>(decay1), low_part(decay1), static_cast<float>(decay2), low_part(decay2), unscale};
}

// 1 - decay^step, computed to within a few ulp although it is the small difference of two numbers near 1.
Interval correction(double decay, int step) {
  return Interval::exact(1.0 - std::pow(decay, step)).widened(accuracy().bias_correction * kUlp);
}

void expect_step(const BeginStepParams& p, const GroupState& group, const Array& stats, const Array& scaler,
                 const Array& lr = {}) {
  const Arrays arrays = {words_of(group), stats, scaler, lr};
  const Arrays actual = run_subject(KernelId::begin_step, {}, p, arrays);
  if (actual.empty()) return;
  const auto expected = state_of<GroupState>(run_oracle_as_is(KernelId::begin_step, {}, p, arrays)[0]);
  const auto result = state_of<GroupState>(actual[0]);
  expect(actual[0], result.skip == expected.skip, "another decision to skip");
  expect(actual[0], result.step == expected.step, "another step counter");
  expect_value(actual[0], 0, lr.present() ? lr[0] : group.lr);
  const bool scaled = p.unscale != 0 && scaler.present();
  const Interval factor = scaled ? C(1.0) / Interval::exact(scaler[0]) : C(1.0);
  expect_inside(actual[0], 3, factor);
  if (expected.skip != 0) {
    expect_value(actual[0], 4, group.correction1);
    return expect_value(actual[0], 5, group.correction2);
  }
  expect_inside(actual[0], 4, correction(double{p.decay1} + p.decay1_low, result.step));
  const Interval square = correction(double{p.decay2} + p.decay2_low, result.step);
  expect_inside(actual[0], 5, accuracy().f64_tails ? Interval::exact(expected.correction2) : SQRT(square));
}

TEST_P(Step, Small_AStepIsSkippedWhereAnOverflowWasFound) {
  for (const int step : {0, 1, 2, 9, 99, 4999, 1000000}) {
    for (const auto& [decay1, decay2] : {std::pair{0.9, 0.999}, std::pair{0.0, 0.9}, std::pair{0.5, 0.9999}}) {
      const GroupState group{0.01f, step, 1, 3.0f, 0.5f, 0.25f};
      const float scale = std::exp2(static_cast<float>(random.below(100)) - 50.0f);
      const Array scaler = words_of(ScalerState{random.coin() ? scale : 1.7f * scale, 1, 1, 0.0f, 4, 2});
      for (const float found : {0.0f, 1.0f, 2.0f}) {
        const Array stats = words_of(GradientStats{found});
        expect_step(begin_params(decay1, decay2, 1), group, stats, scaler);
        expect_step(begin_params(decay1, decay2, 0), group, stats, scaler);
        expect_step(begin_params(decay1, decay2, 1), group, stats, Array());
      }
      expect_step(begin_params(decay1, decay2, 1), group, Array(), Array());
      Array lr(DType::f32, 1);
      lr.set(0, random.normal());
      expect_step(begin_params(decay1, decay2, 1), group, words_of(GradientStats{1.0f}), scaler, lr);
      expect_step(begin_params(decay1, decay2, 1), group, Array(), Array(), lr);
    }
  }
}

// All of it is whole numbers and products that round once: the same bits everywhere.
TEST_P(Step, Small_TheLossScaleFollowsTheOracleOverARandomHistory) {
  for (int run = 0; run < 8; ++run) {
    const ScalerUpdateParams params{run % 2 == 0 ? 2.0f : 1.7f,
                                    run % 3 == 0 ? 0.5f : 0.3f,
                                    run % 4 == 0 ? 1.0f : 0x1p-100f,
                                    run % 4 == 1 ? 0x1p20f : std::numeric_limits<float>::max(),
                                    static_cast<int>(1 + random.below(4)),
                                    static_cast<int>(1 + random.below(3)),
                                    run == 7 ? 0 : 1};
    ScalerState state{run == 6 ? 0x1p127f : 65536.0f, 0, params.hysteresis, 0.0f, 0, 0};
    for (int step = 0; step < 40; ++step) {
      state.found_inf = random.below(4) == 0 ? 1.0f : 0.0f;
      const Arrays arrays = {words_of(state)};
      const Arrays actual = run_subject(KernelId::scaler_update, {}, params, arrays);
      if (actual.empty()) return;
      const Array expected = run_oracle_as_is(KernelId::scaler_update, {}, params, arrays)[0];
      expect_same(actual[0], expected);
      state = state_of<ScalerState>(expected);
    }
  }
}

}  // namespace
}  // namespace amphora::conformance
