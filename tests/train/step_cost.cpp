// What a training step costs besides its mathematics: no waits, no allocations, no casts of weights.
#include <gtest/gtest.h>

#include "small_run.h"

namespace amphora {
namespace {

constexpr std::int64_t kTrainedSteps = 101;

class StepCost : public ::testing::TestWithParam<const char*> {
 protected:
  static app::TrainingOptions options() {
    app::TrainingOptions options;
    options.backend = GetParam();
    options.batch_size = 8;
    options.epochs = 1;
    options.quiet = true;
    return options;
  }
  static std::uint64_t launches(const Counters& counters, KernelId kernel) {
    return counters.launches[static_cast<std::size_t>(kernel)];
  }

  data::ImageSet images_ = data::synthetic_images(8 * kTrainedSteps, 1);
};

TEST_P(StepCost, IsNoWait) {
  const Counters counters = testing::train_small(options(), images_, 1).counters;
  EXPECT_EQ(counters.waits, 0u);
  EXPECT_EQ(launches(counters, KernelId::optimizer_step), static_cast<std::uint64_t>(kTrainedSteps - 1));
}

TEST_P(StepCost, IsNoMemoryFromTheSystemOnceWarm) {
  EXPECT_EQ(testing::train_small(options(), images_, 5).counters.allocations, 0u);
}

TEST_P(StepCost, IsTheCastOfTheBatchAndNoneOfWeights) {
  for (const Precision precision : {Precision::f16, Precision::bf16}) {
    app::TrainingOptions wanted = options();
    wanted.precision = precision;
    const Counters counters = testing::train_small(wanted, images_, 1).counters;
    EXPECT_EQ(launches(counters, KernelId::cast), static_cast<std::uint64_t>(kTrainedSteps - 1)) << name_of(precision);
    EXPECT_EQ(launches(counters, KernelId::copy), 0u) << name_of(precision);
  }
}

TEST_P(StepCost, IsNoCastAtAllInFullPrecision) {
  app::TrainingOptions wanted = options();
  wanted.precision = Precision::f32;
  wanted.scaler.enabled = false;
  EXPECT_EQ(launches(testing::train_small(wanted, images_, 0).counters, KernelId::cast), 0u);
}

INSTANTIATE_TEST_SUITE_P(Backends, StepCost, ::testing::Values("null", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace amphora
