// The same seed gives the same bits, whatever the number of threads.
#include <bit>

#include <gtest/gtest.h>

#include "small_run.h"

namespace amphora {
namespace {

class SameSeed : public ::testing::TestWithParam<Precision> {
 protected:
  static std::vector<std::uint32_t> bits(int threads, std::uint64_t seed) {
    app::TrainingOptions options;
    options.backend = "cpu";
    options.precision = GetParam();
    options.scaler.enabled = GetParam() == Precision::f16;
    options.batch_size = 128;
    options.accumulate = 2;
    options.epochs = 2;
    options.threads = threads;
    options.seed = seed;
    options.quiet = true;
    std::vector<std::uint32_t> result;
    for (const float value : testing::train_small(options, data::synthetic_images(1000, 1)).masters) {
      result.push_back(std::bit_cast<std::uint32_t>(value));
    }
    return result;
  }
};

TEST_P(SameSeed, GivesTheSameBitsOnAnyNumberOfThreads) {
  const std::vector<std::uint32_t> one = bits(1, 5);
  EXPECT_EQ(bits(1, 5), one);
  EXPECT_EQ(bits(2, 5), one);
  EXPECT_EQ(bits(3, 5), one);
  EXPECT_NE(bits(1, 6), one);
}

INSTANTIATE_TEST_SUITE_P(Precisions, SameSeed, ::testing::Values(Precision::f32, Precision::f16, Precision::bf16),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace amphora
