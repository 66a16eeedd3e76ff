// Autocast regions: what governs where, without tensors.
#include <thread>
#include <type_traits>

#include <gtest/gtest.h>

#include "amphora/amp/autocast.h"
#include "amphora/core/error.h"

namespace amphora::amp {
namespace {

TEST(AutocastRegion, OutsideNothingIsActive) { EXPECT_EQ(active_dtype(), std::nullopt); }

TEST(AutocastRegion, TheInnermostGoverns) {
  const Autocast outer(DType::f16);
  EXPECT_EQ(active_dtype(), DType::f16);
  {
    const Autocast inner(DType::bf16);
    EXPECT_EQ(active_dtype(), DType::bf16);
    const Autocast off(false);
    EXPECT_EQ(active_dtype(), std::nullopt);
    const Autocast on(true);
    EXPECT_EQ(active_dtype(), DType::bf16);
  }
  EXPECT_EQ(active_dtype(), DType::f16);
  {
    const Autocast none(DType::f32);
    EXPECT_EQ(active_dtype(), std::nullopt);
  }
  EXPECT_EQ(active_dtype(), DType::f16);
}

TEST(AutocastRegion, OffIsSuspended) {
  const Autocast outer(DType::bf16);
  {
    const auto region = Autocast::off();
    EXPECT_EQ(active_dtype(), std::nullopt);
  }
  EXPECT_EQ(active_dtype(), DType::bf16);
}

TEST(AutocastRegion, ANameIsNoSwitch) {
  EXPECT_TRUE((std::is_constructible_v<Autocast, bool>));
  EXPECT_FALSE((std::is_constructible_v<Autocast, const char*>));
  EXPECT_FALSE((std::is_constructible_v<Autocast, int>));
}

TEST(AutocastRegion, AnotherThreadStartsOutsideAndTakesOverByAssignment) {
  const Autocast outer(DType::bf16, {{"gelu", CastRule::full}});
  std::thread([mode = context().mode] {
    EXPECT_EQ(active_dtype(), std::nullopt);
    context().mode = mode;
    EXPECT_EQ(active_dtype(), DType::bf16);
    EXPECT_EQ(override_of("gelu"), CastRule::full);
  }).join();
}

TEST(AutocastRegion, APrecisionGivesItsType) {
  const auto active_in = [](Precision precision) {
    const Autocast region(precision);
    return active_dtype();
  };
  EXPECT_EQ(active_in(Precision::f16), DType::f16);
  EXPECT_EQ(active_in(Precision::bf16), DType::bf16);
  EXPECT_EQ(active_in(Precision::f32), std::nullopt);
  EXPECT_EQ(active_in(Precision::tf32), std::nullopt);
}

TEST(AutocastRegion, Tf32IsARegionOfItsOwn) {
  EXPECT_FALSE(tf32_active());
  const Autocast outer(Precision::tf32);
  EXPECT_TRUE(tf32_active());
  {
    const Autocast inner(DType::f16);
    EXPECT_FALSE(tf32_active());
    EXPECT_EQ(active_dtype(), DType::f16);
  }
  {
    const Autocast whole(DType::f32);
    EXPECT_FALSE(tf32_active());
  }
  const Autocast off(false);
  EXPECT_FALSE(tf32_active());
  const Autocast on(true);
  EXPECT_TRUE(tf32_active());
}

TEST(AutocastRegion, OverridesHoldInNestedRegionsAndTheInnerWins) {
  const Autocast outer(DType::f16, {{"gelu", CastRule::full}, {"softmax", CastRule::lower}});
  {
    const Autocast inner(DType::bf16, {{"gelu", CastRule::lower}});
    EXPECT_EQ(override_of("gelu"), CastRule::lower);
    EXPECT_EQ(override_of("softmax"), CastRule::lower);
  }
  EXPECT_EQ(override_of("gelu"), CastRule::full);
  EXPECT_EQ(override_of("relu"), std::nullopt);
}

TEST(AutocastRegion, AnUnknownOverrideIsAnErrorThatChangesNothing) {
  const Autocast outer(DType::f16);
  EXPECT_THROW(Autocast(DType::bf16, {{"gelu", CastRule::full}, {"no_such_op", CastRule::full}}), Error);
  EXPECT_EQ(active_dtype(), DType::f16);
  EXPECT_EQ(override_of("gelu"), std::nullopt);
}

}  // namespace
}  // namespace amphora::amp
