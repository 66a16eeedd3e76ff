#include "amphora/core/shape.h"

#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

TEST(Shape, ExtentsAndCount) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.count(), 24);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[-1], 4);
  EXPECT_EQ(Shape{}.count(), 1);
  EXPECT_EQ((Shape{3, 0, 2}).count(), 0);
  EXPECT_EQ(shape.str(), "[2, 3, 4]");
  EXPECT_EQ(Shape{}.str(), "[]");
}

TEST(Shape, AxesOutOfRangeAreErrors) {
  const Shape shape{2, 3};
  for (const int axis : {2, -3, 100}) EXPECT_THROW(shape[axis], Error) << axis;
  EXPECT_THROW(Shape{}.normalize(0), Error);
  EXPECT_EQ(message_of([&] { shape.normalize(2); }), "axis 2 is out of range for shape [2, 3]");
}

TEST(Shape, TooManyOrNegativeExtentsAreErrors) {
  EXPECT_NO_THROW((Shape{1, 2, 3, 4, 5}));
  EXPECT_EQ(message_of([] { Shape{1, 2, 3, 4, 5, 6}; }), "a tensor has at most 5 axes, but 6 were given");
  EXPECT_EQ(message_of([] { Shape{2, -1}; }), "shape [2, -1] has a negative extent");
}

TEST(Shape, WithAndWithoutAnAxis) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(shape.with(1, 7), (Shape{2, 7, 4}));
  EXPECT_EQ(shape.with(-1, 7), (Shape{2, 3, 7}));
  EXPECT_EQ(shape.without(0), (Shape{3, 4}));
  EXPECT_EQ(shape.without(-1), (Shape{2, 3}));
  EXPECT_NE(shape.without(-1), (Shape{2, 3, 0}));
}

TEST(Shape, ContiguousStridesCountElements) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (Strides{12, 4, 1, 0, 0}));
  EXPECT_EQ(contiguous_strides({}), Strides{});
}

TEST(Shape, BroadcastingFollowsNumPy) {
  const auto check = [](const Shape& a, const Shape& b, const Shape& want) {
    EXPECT_EQ(broadcast_shapes(a, b), want) << a.str() << " with " << b.str();
    EXPECT_EQ(broadcast_shapes(b, a), want) << b.str() << " with " << a.str();
  };
  check({2, 3}, {2, 3}, {2, 3});
  check({2, 3}, {3}, {2, 3});
  check({2, 1}, {1, 3}, {2, 3});
  check({}, {2, 3}, {2, 3});
  check({5, 1, 3}, {4, 1}, {5, 4, 3});
  check({1}, {0}, {0});
  check({1, 1, 1, 1, 1}, {2}, {1, 1, 1, 1, 2});
  EXPECT_THROW(broadcast_shapes({2, 3}, {2}), Error);
  EXPECT_THROW(broadcast_shapes({0}, {3}), Error);
  EXPECT_EQ(message_of([] {
              broadcast_shapes({2, 3}, {4, 3});
            }),
            "shapes [2, 3] and [4, 3] do not broadcast: axis 2 from the end has 2 and 4");
}

TEST(Shape, RepeatedAxesHaveStrideZero) {
  EXPECT_EQ(broadcast_strides({3}, {1}, {2, 3}), (Strides{0, 1, 0, 0, 0}));
  EXPECT_EQ(broadcast_strides({2, 1}, {1, 1}, {2, 3}), (Strides{1, 0, 0, 0, 0}));
  EXPECT_EQ(broadcast_strides({}, {}, {4}), Strides{});
  EXPECT_EQ(broadcast_strides({2, 3}, {1, 2}, {2, 3}), (Strides{1, 2, 0, 0, 0}));
}

}  // namespace
}  // namespace amphora::testing
