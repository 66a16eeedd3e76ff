// The loss scale's state machine: vectors S1 to S13, and the rules of other scalers that options reproduce (X).
#include <cfloat>
#include <optional>
#include <ostream>
#include <string_view>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

struct Scale {
  double scale;
  int tracker;
  bool operator==(const Scale&) const = default;
};

void PrintTo(const Scale& value, std::ostream* out) { *out << value.scale << " with tracker " << value.tracker; }

class AmpScale : public CpuTest {
 protected:
  void start(const amp::GradScalerOptions& options) {
    scaler_.emplace(options);
    scaler_->scale(scalar(1));
  }

  // One iteration an event: 'o' with finite gradients, 'x' with an infinite one.
  Scale after(std::string_view events) {
    for (const char event : events) {
      GradientList optimizer({event == 'x' ? overflow_ : clean_});
      scaler_->step(optimizer);
      scaler_->update();
    }
    const ScalerState state = device_state(*scaler_);
    return {state.scale, state.growth_tracker};
  }
  Scale after(int count, char event) { return after(std::string(static_cast<std::size_t>(count), event)); }
  std::vector<double> scales_of(std::string_view events) {
    std::vector<double> scales;
    for (const char event : events) scales.push_back(after(std::string_view(&event, 1)).scale);
    return scales;
  }
  int hysteresis() const { return device_state(*scaler_).hysteresis_tracker; }

  Tensor clean_ = vector({1, -2});
  Tensor overflow_ = vector({1, kInf});
  std::optional<amp::GradScaler> scaler_;
};
AMPHORA_ON_CPU(AmpScale);

TEST_P(AmpScale, S1_GrowsAfterTheIntervalAndBacksOffByTheFactor) {
  start({.init_scale = 4, .growth_factor = 2, .backoff_factor = 0.25f, .growth_interval = 2});
  EXPECT_EQ(after("o"), (Scale{4, 1}));
  EXPECT_EQ(after("o"), (Scale{8, 0}));
  EXPECT_EQ(after("x"), (Scale{2, 0}));
}

TEST_P(AmpScale, S2_AnOverflowResetsTheTracker) {
  start({.growth_interval = 2});
  EXPECT_EQ(after("o"), (Scale{65536, 1}));
  EXPECT_EQ(after("o"), (Scale{131072, 0}));
  EXPECT_EQ(after("o"), (Scale{131072, 1}));
  EXPECT_EQ(after("x"), (Scale{65536, 0}));
  EXPECT_EQ(after("o"), (Scale{65536, 1}));
  EXPECT_EQ(after("o"), (Scale{131072, 0}));
  EXPECT_EQ(after("x"), (Scale{65536, 0}));
  EXPECT_EQ(after("x"), (Scale{32768, 0}));
  EXPECT_EQ(after("o"), (Scale{32768, 1}));
  EXPECT_EQ(after("o"), (Scale{65536, 0}));
}

TEST_P(AmpScale, S3_AnIntervalOfOneGrowsEveryTime) {
  start({.init_scale = 128, .growth_interval = 1});
  EXPECT_EQ(scales_of("ooxo"), (std::vector<double>{256, 512, 256, 512}));
}

TEST_P(AmpScale, S4_DefaultsGrowAfterTwoThousandCleanSteps) {
  start({});
  EXPECT_EQ(scales_of("xxx"), (std::vector<double>{32768, 16384, 8192}));
  EXPECT_EQ(after(1999, 'o'), (Scale{8192, 1999}));
  EXPECT_EQ(after("o"), (Scale{16384, 0}));
  EXPECT_EQ(after(2000, 'o'), (Scale{32768, 0}));
}

TEST_P(AmpScale, S5_AnInfiniteCandidateIsNotAdopted) {
  start({.init_scale = 1e38f, .growth_factor = 16, .growth_interval = 1});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(after("o"), (Scale{9.999999680285692e37, 0}));
}

TEST_P(AmpScale, S6_AFiniteCandidateIsAdoptedUpToTheLargestF32) {
  start({.init_scale = 0x1p127f, .growth_factor = 1.5f, .growth_interval = 1});
  EXPECT_EQ(after("o"), (Scale{2.5521177519070385e38, 0}));
  EXPECT_EQ(after("o"), (Scale{2.5521177519070385e38, 0}));
}

TEST_P(AmpScale, S7_TheScaleStaysBelowInfinityAndStillBacksOff) {
  start({.init_scale = 0x1p127f, .growth_interval = 1});
  EXPECT_EQ(after("o"), (Scale{0x1p127, 0}));
  EXPECT_EQ(after("x"), (Scale{0x1p126, 0}));
}

TEST_P(AmpScale, S8_NoFloorAtOne) {
  start({.init_scale = 1, .min_scale = 0});
  EXPECT_EQ(scales_of("xxx"), (std::vector<double>{0.5, 0.25, 0.125}));
}

TEST_P(AmpScale, S9_WithoutAFloorTheScaleCollapsesToZero) {
  start({.init_scale = 0x1p-147f, .min_scale = 0});
  EXPECT_EQ(scales_of("xxxx"), (std::vector<double>{0x1p-148, 0x1p-149, 0, 0}));
}

TEST_P(AmpScale, S9_TheDefaultFloorKeepsTheInverseFinite) {
  start({.init_scale = 2 * FLT_MIN});
  EXPECT_EQ(scales_of("xxx"), (std::vector<double>{FLT_MIN, FLT_MIN, FLT_MIN}));
  EXPECT_TRUE(std::isfinite(1.0f / FLT_MIN));
}

TEST_P(AmpScale, S10_AnIntervalOfZeroNeverGrows) {
  start({.init_scale = 8, .growth_interval = 0});
  EXPECT_EQ(after("o"), (Scale{8, 1}));
  EXPECT_EQ(after("o"), (Scale{8, 2}));
  EXPECT_EQ(after("o"), (Scale{8, 3}));
}

TEST_P(AmpScale, S11_LoweringTheIntervalBelowTheTrackerGrowsAtOnce) {
  start({.init_scale = 8, .growth_interval = 10});
  after(5, 'o');
  scaler_->set_growth_interval(3);
  EXPECT_EQ(after(1, 'o'), (Scale{16, 0}));  // PyTorch tests for equality, and would never grow again
  EXPECT_EQ(after(3, 'o'), (Scale{32, 0}));
}

TEST_P(AmpScale, S12_ASetScaleKeepsTheTrackerAndClearsTheRecords) {
  start({});
  after("o");
  GradientList optimizer({overflow_});
  scaler_->unscale(optimizer);
  scaler_->update(1024.0f);
  EXPECT_EQ(after(""), (Scale{1024, 1}));
  EXPECT_THROW(scaler_->update(), StateError);  // nothing is recorded
  EXPECT_NO_THROW(scaler_->unscale(optimizer));
  EXPECT_EQ(after("o"), (Scale{512, 0}));  // the overflow that was just recorded counts; the one before does not
}

TEST_P(AmpScale, S13_TheFloorHoldsTheScale) {
  start({.init_scale = 2, .min_scale = 1});
  EXPECT_EQ(scales_of("xx"), (std::vector<double>{1, 1}));
}

TEST_P(AmpScale, TheCeilingHoldsTheScale) {
  start({.init_scale = 2, .growth_interval = 1, .max_scale = 6});
  EXPECT_EQ(scales_of("ooo"), (std::vector<double>{4, 6, 6}));
}

TEST_P(AmpScale, AStaticScaleNeverChanges) {
  start({.init_scale = 8, .growth_interval = 1, .dynamic = false});
  EXPECT_EQ(scales_of("oxxo"), (std::vector<double>{8, 8, 8, 8}));
  EXPECT_EQ(device_state(*scaler_).skipped, 2);
}

TEST_P(AmpScale, CountsUpdatesAndSkips) {
  start({});
  after("oxoox");
  EXPECT_EQ(device_state(*scaler_).updates, 5);
  EXPECT_EQ(device_state(*scaler_).skipped, 2);
}

TEST_P(AmpScale, X1_HysteresisIsRefilledByGrowthAlone) {
  start({.growth_interval = 3, .min_scale = 1, .hysteresis = 2});
  struct Step {
    const char* event;
    Scale want;
    int hysteresis;
  };
  const Step steps[] = {{"x", {65536, 0}, 1},  {"o", {65536, 1}, 1},  {"x", {32768, 0}, 0}, {"x", {16384, 0}, -1},
                        {"o", {16384, 1}, -1}, {"o", {16384, 2}, -1}, {"o", {32768, 0}, 2}, {"x", {32768, 0}, 1}};
  for (const auto& [event, want, hysteresis_after] : steps) {
    EXPECT_EQ(after(event), want);
    EXPECT_EQ(hysteresis(), hysteresis_after);
  }
}

TEST_P(AmpScale, X3_AFloorOfOneGivesTheRuleOfOlderKeras) {
  start({.init_scale = 2, .growth_interval = 2, .min_scale = 1});
  EXPECT_EQ(scales_of("xxxoo"), (std::vector<double>{1, 1, 1, 1, 2}));
  start({.init_scale = 2, .growth_interval = 2});
  EXPECT_EQ(scales_of("xxxoo"), (std::vector<double>{1, 0.5, 0.25, 0.25, 0.5}));
}

TEST_P(AmpScale, X4_BoundsGiveTheRuleOfApex) {
  start({.growth_interval = 1, .max_scale = 0x1p24f});
  EXPECT_EQ(after(10, 'o').scale, 0x1p24);
  start({.growth_interval = 2, .min_scale = 128});
  EXPECT_EQ(after(11, 'x').scale, 128);
}

TEST_P(AmpScale, X5_HysteresisOfTwoGivesTheRuleOfDeepSpeed) {
  start({.init_scale = 16, .growth_interval = 2, .min_scale = 1, .hysteresis = 2});
  EXPECT_EQ(scales_of("xxxoooo"), (std::vector<double>{16, 8, 4, 4, 8, 8, 16}));
}

}  // namespace
}  // namespace amphora::testing
