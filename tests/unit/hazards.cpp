#include "plan/hazards.h"

#include <vector>

#include <gtest/gtest.h>

namespace amphora::plan {
namespace {

constexpr bool kRead = false;
constexpr bool kWrite = true;

bool conflicts(const std::vector<Access>& earlier, const std::vector<Access>& later) {
  Hazards hazards;
  hazards.add(earlier);
  return hazards.conflict(later);
}

TEST(Hazards, AReadMustWaitForAWrite) { EXPECT_TRUE(conflicts({{100, 10, kWrite}}, {{100, 10, kRead}})); }
TEST(Hazards, AWriteMustWaitForARead) { EXPECT_TRUE(conflicts({{100, 10, kRead}}, {{100, 10, kWrite}})); }
TEST(Hazards, AWriteMustWaitForAWrite) { EXPECT_TRUE(conflicts({{100, 10, kWrite}}, {{100, 10, kWrite}})); }
TEST(Hazards, ReadsRunSideBySide) { EXPECT_FALSE(conflicts({{100, 10, kRead}}, {{100, 10, kRead}})); }

TEST(Hazards, RangesThatShareOneByteConflict) {
  EXPECT_TRUE(conflicts({{100, 10, kWrite}}, {{109, 1, kRead}}));
  EXPECT_TRUE(conflicts({{100, 10, kWrite}}, {{91, 10, kRead}}));
  EXPECT_TRUE(conflicts({{100, 10, kWrite}}, {{103, 2, kRead}}));
  EXPECT_TRUE(conflicts({{103, 2, kWrite}}, {{100, 10, kRead}}));
}

TEST(Hazards, NeighboursDoNotConflict) {
  EXPECT_FALSE(conflicts({{100, 10, kWrite}}, {{110, 10, kWrite}}));
  EXPECT_FALSE(conflicts({{100, 10, kWrite}}, {{90, 10, kWrite}}));
}

TEST(Hazards, AnEmptyRangeTouchesNothing) {
  EXPECT_FALSE(conflicts({{100, 0, kWrite}}, {{90, 20, kWrite}}));
  EXPECT_FALSE(conflicts({{90, 20, kWrite}}, {{100, 0, kWrite}}));
}

TEST(Hazards, OneConflictAmongManyAccessesIsEnough) {
  EXPECT_TRUE(conflicts({{0, 10, kRead}, {50, 10, kWrite}}, {{200, 10, kWrite}, {55, 1, kRead}}));
}

TEST(Hazards, ABarrierEndsThem) {
  Hazards hazards;
  hazards.add(std::vector<Access>{{100, 10, kWrite}});
  hazards.clear();
  EXPECT_FALSE(hazards.conflict(std::vector<Access>{{100, 10, kRead}}));
}

}  // namespace
}  // namespace amphora::plan
