#include "amphora/plan/hazards.h"

#include <vector>

#include <gtest/gtest.h>

#include "support/cpu_test.h"

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

// --- Order ---

using Edges = std::vector<std::vector<std::size_t>>;

Edges edges_of(const std::vector<std::vector<Access>>& calls) {
  Order order;
  Edges edges;
  for (const std::vector<Access>& call : calls) edges.push_back(order.add(call));
  return edges;
}

TEST(Order, ACallWaitsForThoseThatItConflictsWith) {
  const Edges edges = edges_of({{{0, 8, kWrite}}, {{8, 8, kWrite}}, {{0, 8, kRead}, {16, 8, kWrite}}, {{8, 8, kRead}}});
  EXPECT_EQ(edges, (Edges{{}, {}, {0}, {1}}));
}

TEST(Order, BranchesMeet) {
  const Edges edges = edges_of({{{0, 8, kWrite}},
                                {{0, 8, kRead}, {8, 8, kWrite}},
                                {{0, 8, kRead}, {16, 8, kWrite}},
                                {{8, 16, kRead}, {24, 8, kWrite}}});
  EXPECT_EQ(edges, (Edges{{}, {0}, {0}, {2, 1}}));
}

TEST(Order, WhatAnotherCallWaitsForIsNotWaitedForAgain) {
  const Edges edges = edges_of({{{0, 8, kWrite}}, {{0, 8, kWrite}}, {{0, 8, kRead}}, {{0, 8, kWrite}}});
  EXPECT_EQ(edges, (Edges{{}, {0}, {1}, {2}}));
}

TEST(Order, ACallWithoutMemoryWaitsForNothing) { EXPECT_EQ(edges_of({{{0, 8, kWrite}}, {}}), (Edges{{}, {}})); }

// Against the definition: all that conflicts is ordered, and an edge joins what conflicts and nothing else orders.
TEST(Order, EdgesOfRandomCallsAreEnoughAndNoneTooMany) {
  testing::Random random;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<Access>> calls(150);
    for (std::vector<Access>& call : calls) {
      for (std::uint32_t i = random.bits() % 4; i > 0; --i) {
        call.push_back({random.bits() % 400, random.bits() % 12, random.bits() % 3 == 0});
      }
    }
    const Edges edges = edges_of(calls);
    std::vector<std::vector<bool>> before(calls.size(), std::vector<bool>(calls.size(), false));
    const auto is_before = [&before](std::size_t a, std::size_t b) { return bool{before[b][a]}; };
    for (std::size_t i = 0; i < calls.size(); ++i) {
      for (const std::size_t j : edges[i]) {
        ASSERT_LT(j, i);
        ASSERT_TRUE(conflicts(calls[j], calls[i])) << j << " " << i;
        for (const std::size_t other : edges[i]) ASSERT_FALSE(is_before(j, other)) << j << " " << other << " " << i;
      }
      for (const std::size_t j : edges[i]) {
        before[i][j] = true;
        for (std::size_t k = 0; k < j; ++k) before[i][k] = before[i][k] || before[j][k];
      }
      for (std::size_t j = 0; j < i; ++j) {
        ASSERT_TRUE(is_before(j, i) || !conflicts(calls[j], calls[i])) << j << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace amphora::plan
