// Axes are merged where every operand walks them in one stride, and nowhere else.
#include "backends/strided.h"

#include <gtest/gtest.h>

namespace amphora {
namespace {

TEST(MergeAxes, JoinsWhatEveryOperandWalksInOneStride) {
  std::int32_t rank = 4;
  Extents sizes = {2, 3, 4, 5};
  Extents a = {60, 20, 5, 1};
  Extents b = {0, 20, 5, 1};
  EXPECT_EQ(merge_axes(rank, sizes, {a, b}), 120u);
  ASSERT_EQ(rank, 2);
  EXPECT_EQ(sizes[0], 2);
  EXPECT_EQ(sizes[1], 60);
  EXPECT_EQ(a[0], 60);
  EXPECT_EQ(b[0], 0);
  EXPECT_EQ(a[1], 1);
  EXPECT_EQ(b[1], 1);
}

TEST(MergeAxes, DropsAxesOfOneElementAndLeavesOne) {
  std::int32_t rank = 3;
  Extents sizes = {1, 6, 1};
  Extents strides = {7, 3, 9};
  EXPECT_EQ(merge_axes(rank, sizes, {strides}), 6u);
  EXPECT_EQ(rank, 1);
  EXPECT_EQ(sizes[0], 6);
  EXPECT_EQ(strides[0], 3);

  rank = 0;
  EXPECT_EQ(merge_axes(rank, sizes, {strides}), 1u);
  EXPECT_EQ(rank, 1);
  EXPECT_EQ(sizes[0], 1);
}

// 2.5 billion elements are more than a size holds.
TEST(MergeAxes, KeepsAxesApartWhoseProductDoesNotFit) {
  std::int32_t rank = 2;
  Extents sizes = {50000, 50000};
  Extents strides = {50000, 1};
  EXPECT_EQ(merge_axes(rank, sizes, {strides}), 2'500'000'000u);
  EXPECT_EQ(rank, 2);
  EXPECT_EQ(sizes[1], 50000);
}

}  // namespace
}  // namespace amphora
