// Views: which elements they show, when they copy, and what they refuse.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OpsView : public CpuTest {
 protected:
  Tensor grid() { return tensor({2, 3}, {1, 2, 3, 4, 5, 6}); }
  static bool shares(const Tensor& view, const Tensor& base) { return view.buffer() == base.buffer(); }
};
AMPHORA_ON_CPU(OpsView);

TEST_P(OpsView, ReshapeKeepsTheOrder) {
  const Tensor base = grid();
  EXPECT_EQ(reshape(base, {3, -1}).shape(), (Shape{3, 2}));
  EXPECT_TRUE(same_values(reshape(base, {3, 2}), {1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(shares(reshape(base, {6}), base));
  const Tensor of_view = reshape(transpose(base), {6});
  EXPECT_FALSE(shares(of_view, base));
  EXPECT_TRUE(same_values(of_view, {1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(flatten(tensor({2, 3, 2}, Values(12))).shape(), (Shape{2, 6}));
  EXPECT_EQ(flatten(tensor({2, 3, 2}, Values(12)), 0).shape(), Shape{12});
  EXPECT_EQ(reshape(vector({5}), Shape{}).item(), 5);
}

TEST_P(OpsView, AxesMoveWithoutACopy) {
  const Tensor base = tensor({2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  const Tensor moved = permute(base, {2, 0, 1});
  EXPECT_TRUE(shares(moved, base));
  EXPECT_EQ(moved.shape(), (Shape{2, 2, 3}));
  EXPECT_TRUE(same_values(moved, {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}));
  EXPECT_TRUE(same_values(transpose(base, 0, 1), {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11}));
  EXPECT_TRUE(same_values(permute(permute(base, {2, 0, 1}), {1, 2, 0}), base.to_doubles()));
}

TEST_P(OpsView, SlicesAndAxesOfOne) {
  const Tensor base = grid();
  EXPECT_TRUE(same_values(slice(base, 1, 1, 2), {2, 3, 5, 6}));
  EXPECT_TRUE(shares(slice(base, 1, 1, 2), base));
  EXPECT_EQ(slice(base, 0, 2, 0).shape(), (Shape{0, 3}));
  EXPECT_EQ(unsqueeze(base, 1).shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(unsqueeze(base, -1).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(unsqueeze(base, 0).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(squeeze(unsqueeze(base, 1), 1).shape(), (Shape{2, 3}));
}

TEST_P(OpsView, ExpandRepeatsWithoutACopy) {
  const Tensor base = vector({1, 2});
  const Tensor repeated = expand(base, {3, 2});
  EXPECT_TRUE(shares(repeated, base));
  EXPECT_TRUE(same_values(repeated, {1, 2, 1, 2, 1, 2}));
  EXPECT_TRUE(same_values(expand(tensor({2, 1}, {1, 2}), {2, 2}), {1, 1, 2, 2}));
}

TEST_P(OpsView, CatAndStackJoin) {
  EXPECT_TRUE(same_values(cat({grid(), tensor({1, 3}, {7, 8, 9})}, 0), {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_TRUE(same_values(cat({grid(), tensor({2, 1}, {7, 8})}, 1), {1, 2, 3, 7, 4, 5, 6, 8}));
  EXPECT_TRUE(same_values(cat({transpose(grid()), transpose(grid())}, -1), {1, 4, 1, 4, 2, 5, 2, 5, 3, 6, 3, 6}));
  const Tensor pair = stack({vector({1, 2}), vector({3, 4})}, 0);
  EXPECT_EQ(pair.shape(), (Shape{2, 2}));
  EXPECT_TRUE(same_values(pair, {1, 2, 3, 4}));
  EXPECT_TRUE(same_values(stack({vector({1, 2}), vector({3, 4})}, -1), {1, 3, 2, 4}));
}

TEST_P(OpsView, SquareTensorsOfFiveAxesAndMore) {
  const Tensor deep = tensor({1, 2, 1, 3, 1}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same_values(permute(deep, {4, 3, 2, 1, 0}), {1, 4, 2, 5, 3, 6}));
  EXPECT_THROW(unsqueeze(deep, 0), Error);
  EXPECT_THROW(stack({deep, deep}, 0), Error);
}

TEST_P(OpsView, WhatDoesNotFitIsAnError) {
  EXPECT_EQ(message_of([&] { reshape(grid(), {4}); }), "cannot reshape [2, 3] to [4]: the numbers of elements differ");
  EXPECT_THROW(reshape(grid(), {4, -1}), Error);
  EXPECT_THROW(reshape(grid(), {-1, -1}), Error);
  EXPECT_THROW(permute(grid(), {0}), Error);
  EXPECT_THROW(permute(grid(), {0, 0}), Error);
  EXPECT_THROW(transpose(vector({1, 2})), Error);
  EXPECT_THROW(slice(grid(), 1, 2, 2), Error);
  EXPECT_THROW(slice(grid(), 1, -1, 1), Error);
  EXPECT_THROW(slice(grid(), 2, 0, 1), Error);
  EXPECT_THROW(squeeze(grid(), 0), Error);
  EXPECT_THROW(unsqueeze(grid(), 4), Error);
  EXPECT_THROW(expand(grid(), {3, 3}), Error);
  EXPECT_THROW(expand(grid(), {3}), Error);
  EXPECT_THROW(cat({}, 0), Error);
  EXPECT_THROW(cat({grid(), vector({1})}, 0), Error);
  EXPECT_THROW(cat({grid(), tensor({2, 2}, {1, 2, 3, 4})}, 0), Error);
}

}  // namespace
}  // namespace amphora::testing
