#include <bit>
#include <cmath>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleGradient : public OracleTest {
 protected:
  struct Checked {
    Values gradient;
    float in_scaler;
    float in_stats;
  };

  Checked check(KernelId kernel, const Elements& gradient, float scale, float found_before = 0.0f) {
    const auto scaler = state(ScalerState{scale, 0, 1, found_before, 0, 0});
    const auto stats = state(GradientStats{found_before});
    launch(kernel, {.types = {gradient.type}}, CountParams{static_cast<std::uint32_t>(gradient.count)},
           {gradient, scaler, stats});
    return {gradient.read(), scaler.read().found_inf, stats.read().found_inf};
  }

  double norm(const std::vector<Values>& ranges, double p, double start = 0.0) {
    const Elements total = f32({start});
    for (const Values& values : ranges) {
      launch(KernelId::gradient_norm, {},
             GradientNormParams{static_cast<std::uint32_t>(values.size()), static_cast<float>(p)},
             {f32(values), total});
    }
    return total.read()[0];
  }

  Values clip(KernelId kernel, DType type, const Values& values, double total, float limit) {
    const Elements gradient = elements(type, values);
    const ClipParams params{static_cast<std::uint32_t>(values.size()), limit};
    if (kernel == KernelId::clip_value) {
      launch(kernel, {.types = {type}}, params, {gradient});
    } else {
      launch(kernel, {.types = {type, DType::f32}}, params, {gradient, f32({total})});
    }
    return gradient.read();
  }
};

TEST_F(OracleGradient, InspectFindsEveryKindOfNonFiniteAndChangesNothing) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    for (const double bad : {kInfinity, -kInfinity, kNaN}) {
      const Checked result = check(KernelId::inspect, elements(type, {8, bad, 2}), 4.0f);
      EXPECT_EQ(result.in_scaler, 1.0f);
      EXPECT_EQ(result.in_stats, 1.0f);
      EXPECT_EQ(result.gradient[0], 8.0);
    }
    const Checked clean = check(KernelId::inspect, elements(type, {8, -0.0, 0x1p-24}), 4.0f);
    EXPECT_EQ(clean.in_scaler, 0.0f);
    EXPECT_EQ(clean.in_stats, 0.0f);
  }
}

TEST_F(OracleGradient, FoundInfIsNeverCleared) {
  EXPECT_EQ(check(KernelId::inspect, f32({1}), 4.0f, 1.0f).in_scaler, 1.0f);
  EXPECT_EQ(check(KernelId::unscale, f32({1}), 4.0f, 1.0f).in_stats, 1.0f);
}

TEST_F(OracleGradient, UnscaleMultipliesFiniteElementsBesideAnInfinity) {
  const Checked result = check(KernelId::unscale, f32({kInfinity, 8}), 4.0f);
  EXPECT_EQ(result.gradient, (Values{kInfinity, 2}));
  EXPECT_EQ(result.in_stats, 1.0f);
}

TEST_F(OracleGradient, UnscaleMultipliesByTheRoundedInverse) {
  EXPECT_EQ(check(KernelId::unscale, f32({10}), 7.0f).gradient, Values{1.4285714626312256});
  EXPECT_EQ(check(KernelId::unscale, f32({1}), 0x1p127f).gradient, Values{0x1p-127});
}

TEST_F(OracleGradient, UnscaleJudgesTheScaledValue) {
  const Checked result = check(KernelId::unscale, f32({1e36}), 0x1p-10f);
  EXPECT_EQ(result.gradient, Values{kInfinity});
  EXPECT_EQ(result.in_stats, 0.0f);
}

TEST_F(OracleGradient, UnscaleByOneKeepsEveryBit) {
  const Elements gradient = f32({0});
  const std::uint32_t signalling = 0x7F80'0001u;
  device->upload(*gradient.buffer, 0, std::as_bytes(std::span(&signalling, 1)));
  check(KernelId::unscale, gradient, 1.0f);
  std::uint32_t got = 0;
  device->download(*gradient.buffer, 0, std::as_writable_bytes(std::span(&got, 1)));
  EXPECT_EQ(got, signalling);
}

TEST_F(OracleGradient, NormsOfEveryOrderJoinTheirRanges) {
  EXPECT_EQ(norm({{3}, {4}}, 2.0), 5.0);
  EXPECT_EQ(norm({{3}, {-4}}, 1.0), 7.0);
  EXPECT_EQ(norm({{3}, {-4}}, kInfinity), 4.0);
  EXPECT_EQ(norm({{3}, {-4, 5}}, -kInfinity, kInfinity), 3.0);
  EXPECT_EQ(norm({{1}, {4}}, 0.5), 9.0);
  EXPECT_EQ(norm({{0, 2}, {3, 0}}, 0.0), 2.0);
  EXPECT_EQ(norm({{0, 0}, {}}, 2.0), 0.0);
}

TEST_F(OracleGradient, SquaresBeyondF32GiveAnInfiniteNorm) { EXPECT_EQ(norm({{1e20, 1e20}}, 2.0), kInfinity); }

TEST_F(OracleGradient, NaNSurvivesEveryNormAndEveryLaterRange) {
  for (const double p : {0.5, 1.0, 2.0, kInfinity, -kInfinity}) {
    EXPECT_TRUE(std::isnan(norm({{1, kNaN, 2}, {3}}, p))) << "p = " << p;
  }
}

TEST_F(OracleGradient, ClipNormShrinksToTheLimit) {
  EXPECT_EQ(clip(KernelId::clip_norm, DType::f32, {3, 4}, 5, 1.0f), (Values{0.5999999046325684, 0.7999998331069946}));
  EXPECT_EQ(clip(KernelId::clip_norm, DType::f32, {3, 4}, 5, 5.0f), (Values{2.9999992847442627, 3.9999990463256836}));
  EXPECT_EQ(clip(KernelId::clip_norm, DType::f32, {3, 4}, 5, 10.0f), (Values{3, 4}));
  EXPECT_EQ(clip(KernelId::clip_norm, DType::f32, {3, 4}, 5, 0.0f), (Values{0, 0}));
  EXPECT_EQ(clip(KernelId::clip_norm, DType::f32, {3, -4}, 5, -1.0f)[0], -0.5999999046325684);
}

TEST_F(OracleGradient, ClipNormByANonFiniteTotal) {
  const Values by_infinity = clip(KernelId::clip_norm, DType::f32, {kInfinity, 1}, kInfinity, 1.0f);
  EXPECT_TRUE(std::isnan(by_infinity[0]));
  EXPECT_EQ(by_infinity[1], 0.0);
  const Values by_nan = clip(KernelId::clip_norm, DType::f32, {2, 1}, kNaN, 1.0f);
  EXPECT_TRUE(std::isnan(by_nan[0]) && std::isnan(by_nan[1]));
}

TEST_F(OracleGradient, ClipValueClampsAndKeepsNaN) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    const Values got = clip(KernelId::clip_value, type, {1, -3, kInfinity, kNaN}, 0, 2.0f);
    EXPECT_EQ((Values{got[0], got[1], got[2]}), (Values{1, -2, 2}));
    EXPECT_TRUE(std::isnan(got[3]));
  }
}

}  // namespace
}  // namespace amphora::testing
