// Axes are merged where no operand can tell.
#include "amphora/kernel/strided.h"

#include <vector>

#include <gtest/gtest.h>

namespace amphora {
namespace {

struct Space {
  std::int32_t rank;
  Extents sizes;
  Extents a, b;
};

using Numbers = std::vector<std::uint32_t>;

Numbers first(const Extents& values, std::int32_t count) { return {values, values + count}; }

TEST(MergeAxes, ContiguousAxesBecomeOne) {
  Space s{3, {2, 3, 4}, {12, 4, 1}, {24, 8, 2}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 24u);
  EXPECT_EQ(first(s.sizes, s.rank), Numbers{24});
  EXPECT_EQ(first(s.a, s.rank), Numbers{1});
  EXPECT_EQ(first(s.b, s.rank), Numbers{2});
}

TEST(MergeAxes, OneOperandThatDiffersKeepsThemApart) {
  Space s{3, {2, 3, 4}, {12, 4, 1}, {0, 4, 1}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 24u);
  EXPECT_EQ(first(s.sizes, s.rank), (Numbers{2, 12}));
  EXPECT_EQ(first(s.a, s.rank), (Numbers{12, 1}));
  EXPECT_EQ(first(s.b, s.rank), (Numbers{0, 1}));
}

TEST(MergeAxes, AxesOfOneElementGoWhateverTheirStrides) {
  Space s{4, {1, 5, 1, 7}, {99, 7, 4000000000, 1}, {0, 1, 42, 5}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 35u);
  EXPECT_EQ(first(s.sizes, s.rank), (Numbers{5, 7}));
  EXPECT_EQ(first(s.a, s.rank), (Numbers{7, 1}));
  EXPECT_EQ(first(s.b, s.rank), (Numbers{1, 5}));
}

TEST(MergeAxes, OneElementIsOneAxis) {
  for (const std::int32_t rank : {0, 2}) {
    Space s{rank, {1, 1}, {5, 5}, {6, 6}};
    EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 1u);
    EXPECT_EQ(first(s.sizes, s.rank), Numbers{1});
  }
}

TEST(MergeAxes, ASpaceWithoutElementsHasNone) {
  Space s{2, {0, 5}, {5, 1}, {5, 1}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 0u);
}

TEST(MergeAxes, AnAxisTakesAsManyElementsAsACallMayHave) {
  Space s{2, {65536, 65280}, {65280, 1}, {65280, 1}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 0xFF000000u);
  EXPECT_EQ(first(s.sizes, s.rank), Numbers{0xFF000000u});
  EXPECT_EQ(first(s.a, s.rank), Numbers{1});
}

// A stride times a size may need more bits than either has.
TEST(MergeAxes, ADistanceThatOverflowsIsNoOther) {
  Space s{2, {2, 65536}, {0, 65536}, {0, 65536}};
  EXPECT_EQ(merge_axes(s.rank, s.sizes, {s.a, s.b}), 131072u);
  EXPECT_EQ(s.rank, 2);
}

}  // namespace
}  // namespace amphora
