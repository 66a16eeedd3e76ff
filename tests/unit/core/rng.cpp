// The counter-based generator: known answers, independence of streams, and distributions.
//
// Statistics have fixed seeds and bounds of five standard errors, which a correct generator meets.
#include "amphora/core/rng.h"

#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace amphora {
namespace {

using Block = std::array<std::uint32_t, 4>;

// From the known answer file of Random123 (philox4x32, 10 rounds): counter words 0 and 1 are the index, 2 and 3 the
// stream, the key is the seed; low words first.
TEST(Rng, Philox10GivesTheKnownAnswers) {
  EXPECT_EQ(philox_block({0, 0}, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox_block({~0ull, ~0ull}, ~0ull), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox_block({0x299f31d0a4093822, 0x0370734413198a2e}, 0x85a308d3243f6a88),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, ElementsAreTheWordsOfTheBlocks) {
  const RandomStream stream{42, 7};
  for (std::uint64_t i = 0; i < 40; ++i) EXPECT_EQ(random_bits(stream, i), philox_block(stream, i / 4)[i % 4]);
}

TEST(Rng, SeedStreamAndIndexAllMatter) {
  std::set<std::uint32_t> seen;
  for (const std::uint64_t seed : {1ull, 2ull, 1ull << 40}) {
    for (const std::uint64_t stream : {0ull, 1ull, 1ull << 40}) {
      for (const std::uint64_t index : {0ull, 1ull, 5ull, 1ull << 40}) seen.insert(random_bits({seed, stream}, index));
    }
  }
  EXPECT_EQ(seen.size(), 36u);
}

TEST(Rng, ASourceHandsOutEachStreamOnce) {
  RandomSource source(9);
  const RandomStream first = source.next();
  const RandomStream second = source.next();
  EXPECT_EQ(first.seed, 9u);
  EXPECT_EQ(second.seed, 9u);
  EXPECT_NE(first.stream, second.stream);
  RandomSource again(9);
  EXPECT_EQ(again.next().stream, first.stream);
}

constexpr int kCount = 1 << 20;
constexpr RandomStream kStream{2024, 3};

struct Moments {
  double mean = 0;
  double variance = 0;
  double neighbours = 0;  // correlation of element i with i + 1
};

template <class Draw>
Moments moments(Draw draw) {
  std::vector<double> values(kCount);
  Moments result;
  for (int i = 0; i < kCount; ++i)
    result.mean += values[static_cast<std::size_t>(i)] = draw(static_cast<std::uint64_t>(i));
  result.mean /= kCount;
  for (double& value : values) value -= result.mean;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.variance += values[i] * values[i] / kCount;
    if (i > 0) result.neighbours += values[i] * values[i - 1] / kCount;
  }
  result.neighbours /= result.variance;
  return result;
}

TEST(Rng, UniformNumbersFillTheUnitInterval) {
  const Moments m = moments([](std::uint64_t i) { return static_cast<double>(random_uniform(kStream, i)); });
  // Standard errors: of the mean sqrt(1/12/n); of the variance sqrt((1/80 - 1/144) / n), the fourth central moment
  // being 1/80; of a correlation 1/sqrt(n).
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_NEAR(m.variance, 1.0 / 12, 5 * std::sqrt((1.0 / 80 - 1.0 / 144) / kCount));
  EXPECT_NEAR(m.neighbours, 0, 5 / std::sqrt(kCount));
}

TEST(Rng, UniformNumbersLieBelowOneAndHave24Bits) {
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const float u = random_uniform(kStream, i);
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    ASSERT_EQ(u * 0x1p24f, std::floor(u * 0x1p24f));
  }
}

TEST(Rng, BytesAreEquallyFrequent) {
  for (const int shift : {0, 8, 16, 24}) {
    std::vector<double> counts(256);
    for (std::uint64_t i = 0; i < kCount; ++i) counts[random_bits(kStream, i) >> shift & 0xFF] += 1;
    double chi = 0;
    const double expected = kCount / 256.0;
    for (const double count : counts) chi += (count - expected) * (count - expected) / expected;
    EXPECT_NEAR(chi, 255, 5 * std::sqrt(2.0 * 255)) << "shift " << shift;  // chi-square: mean 255, variance 2 * 255
  }
}

TEST(Rng, NormalNumbersAreStandardNormal) {
  const Moments m = moments([](std::uint64_t i) { return static_cast<double>(random_normal(kStream, i)); });
  EXPECT_NEAR(m.mean, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(m.variance, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(m.neighbours, 0, 5 / std::sqrt(kCount));
  // Shares inside one, two and three deviations: binomial.
  for (const double deviations : {1.0, 2.0, 3.0}) {
    double inside = 0;
    for (std::uint64_t i = 0; i < kCount; ++i) inside += std::abs(random_normal(kStream, i)) < deviations ? 1 : 0;
    const double share = std::erf(deviations / std::sqrt(2.0));
    EXPECT_NEAR(inside / kCount, share, 5 * std::sqrt(share * (1 - share) / kCount)) << deviations;
  }
}

TEST(Rng, BoundedNumbersCoverTheirRangeEvenly) {
  for (const std::uint64_t bound : {1ull, 2ull, 10ull, 60'000ull}) {
    double sum = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      const std::uint64_t value = random_below(kStream, i, bound);
      ASSERT_LT(value, bound);
      sum += static_cast<double>(value);
    }
    const auto b = static_cast<double>(bound);
    EXPECT_NEAR(sum / 100'000, (b - 1) / 2, 5 * std::sqrt((b * b - 1) / 12 / 100'000)) << bound;
  }
}

}  // namespace
}  // namespace amphora
