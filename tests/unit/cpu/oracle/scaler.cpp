#include <limits>
#include <tuple>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

// The plain rule, with no bounds.
constexpr ScalerUpdateParams kPlainUpdate{.growth_factor = 2.0f,
                                          .backoff_factor = 0.5f,
                                          .min_scale = 0.0f,
                                          .max_scale = std::numeric_limits<float>::infinity(),
                                          .growth_interval = 2,
                                          .hysteresis = 1,
                                          .dynamic = 1};

class OracleScaler : public OracleTest {
 protected:
  void start(float scale, int hysteresis = 1) { scaler_ = state(ScalerState{scale, 0, hysteresis, 0.0f, 0, 0}); }

  // One update per event: 'o' without, 'x' with an overflow.
  ScalerState update(const std::string& events, const ScalerUpdateParams& params) {
    for (const char event : events) {
      ScalerState before = scaler_.read();
      before.found_inf = event == 'x' ? 1.0f : 0.0f;
      device->upload(*scaler_.buffer, 0, std::as_bytes(std::span(&before, 1)));
      launch(KernelId::scaler_update, {}, params, {scaler_});
    }
    return scaler_.read();
  }

 private:
  DeviceState<ScalerState> scaler_;
};

TEST_F(OracleScaler, CountsUpdatesAndSkipsAndClearsFoundInf) {
  start(4.0f);
  const ScalerState after = update("oxox", kPlainUpdate);
  EXPECT_EQ(after.updates, 4);
  EXPECT_EQ(after.skipped, 2);
  EXPECT_EQ(after.found_inf, 0.0f);
}

TEST_F(OracleScaler, GrowsAfterAnIntervalAndBacksOffAtOnce) {
  start(4.0f);
  EXPECT_EQ(update("o", kPlainUpdate).growth_tracker, 1);
  EXPECT_EQ(update("o", kPlainUpdate).scale, 8.0f);
  EXPECT_EQ(update("ox", kPlainUpdate).scale, 4.0f);
  EXPECT_EQ(update("", kPlainUpdate).growth_tracker, 0);
}

TEST_F(OracleScaler, AGrowthThatIsNotFiniteIsNotAdopted) {
  start(0x1p127f);
  const ScalerState after = update("oo", kPlainUpdate);
  EXPECT_EQ(after.scale, 0x1p127f);
  EXPECT_EQ(after.growth_tracker, 0);
}

TEST_F(OracleScaler, BackoffRoundsFromF64ThroughTheSubnormals) {
  start(0x1p-148f);
  EXPECT_EQ(update("x", kPlainUpdate).scale, 0x1p-149f);
  EXPECT_EQ(update("x", kPlainUpdate).scale, 0.0f);
}

TEST_F(OracleScaler, BoundsHoldInBothDirections) {
  ScalerUpdateParams params = kPlainUpdate;
  params.growth_interval = 1;
  params.min_scale = 2.0f;
  params.max_scale = 10.0f;
  start(4.0f);
  EXPECT_EQ(update("oo", params).scale, 10.0f);
  EXPECT_EQ(update("xxxx", params).scale, 2.0f);
}

TEST_F(OracleScaler, AnIntervalBelowTheTrackerIsOver) {
  start(8.0f);
  ScalerUpdateParams params = kPlainUpdate;
  params.growth_interval = 10;
  update("ooooo", params);
  params.growth_interval = 3;
  EXPECT_EQ(update("o", params).growth_tracker, 0);
  EXPECT_EQ(update("", params).scale, 16.0f);
}

TEST_F(OracleScaler, AStaticScaleStaysAndStillCountsSkips) {
  ScalerUpdateParams params = kPlainUpdate;
  params.dynamic = 0;
  start(128.0f);
  const ScalerState after = update("xxooooo", params);
  EXPECT_EQ(after.scale, 128.0f);
  EXPECT_EQ(after.skipped, 2);
  EXPECT_EQ(after.growth_tracker, 0);
}

TEST_F(OracleScaler, HysteresisSwallowsOverflowsUntilGrowthRefillsIt) {
  ScalerUpdateParams params = kPlainUpdate;
  params.growth_interval = 3;
  params.hysteresis = 2;
  start(65536.0f, 2);
  const std::tuple<char, float, int, int> expected[] = {
      {'x', 65536.0f, 0, 1},  {'o', 65536.0f, 1, 1},  {'x', 32768.0f, 0, 0}, {'x', 16384.0f, 0, -1},
      {'o', 16384.0f, 1, -1}, {'o', 16384.0f, 2, -1}, {'o', 32768.0f, 0, 2}, {'x', 32768.0f, 0, 1}};
  for (const auto& [event, scale, tracker, hysteresis] : expected) {
    const ScalerState after = update(std::string(1, event), params);
    EXPECT_EQ(std::tuple(after.scale, after.growth_tracker, after.hysteresis_tracker),
              std::tuple(scale, tracker, hysteresis));
  }
}

}  // namespace
}  // namespace amphora::testing
