#include <cmath>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleReduce : public OracleTest {
 protected:
  Values reduce(Reduction reduction, const Values& in, const ReduceParams& params, const Values& start) {
    const Elements out = f32(start);
    launch(KernelId::reduce, {.function = static_cast<std::uint8_t>(reduction)}, params, {f32(in), out});
    return out.read();
  }

  Values gradient(Reduction reduction, const Values& x, const Values& y, const Values& dy, const ReduceParams& params) {
    const Elements dx = f32(Values(x.size(), kNaN));
    const Elements source = f32(x);
    const Elements result = f32(y);
    launch(KernelId::reduce_grad, {.function = static_cast<std::uint8_t>(reduction)}, params,
           {source, result, f32(dy), dx});
    return dx.read();
  }
};

ReduceParams line(std::uint32_t extent) {
  return {.outer = 1, .extent = extent, .inner = 1, .scale = 1.0f, .accumulate = 0};
}

TEST_F(OracleReduce, ReducesTheMiddleAxis) {
  const Values in = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};  // [2, 3, 2]
  const ReduceParams params{.outer = 2, .extent = 3, .inner = 2, .scale = 1.0f, .accumulate = 0};
  EXPECT_EQ(reduce(Reduction::sum, in, params, Values(4, kNaN)), (Values{9, 12, 27, 30}));
  EXPECT_EQ(reduce(Reduction::max, in, params, Values(4, kNaN)), (Values{5, 6, 11, 12}));
  EXPECT_EQ(reduce(Reduction::min, in, params, Values(4, kNaN)), (Values{1, 2, 7, 8}));
}

TEST_F(OracleReduce, ScalesAndAccumulates) {
  ReduceParams params = line(4);
  params.scale = 0.25f;
  EXPECT_EQ(reduce(Reduction::sum, {1, 2, 3, 4}, params, {100}), Values{2.5});
  params.accumulate = 1;
  EXPECT_EQ(reduce(Reduction::sum, {1, 2, 3, 4}, params, {100}), Values{102.5});
}

TEST_F(OracleReduce, AnEmptyExtentGivesTheNeutralElement) {
  EXPECT_EQ(reduce(Reduction::sum, {}, line(0), {9}), Values{0});
  EXPECT_EQ(reduce(Reduction::max, {}, line(0), {9}), Values{-kInfinity});
  EXPECT_EQ(reduce(Reduction::min, {}, line(0), {9}), Values{kInfinity});
}

TEST_F(OracleReduce, ExtremaPassNaNOn) {
  EXPECT_TRUE(std::isnan(reduce(Reduction::max, {1, kNaN, 3}, line(3), {0})[0]));
  EXPECT_TRUE(std::isnan(reduce(Reduction::min, {kNaN, 1, 3}, line(3), {0})[0]));
}

TEST_F(OracleReduce, ASumOfLowValuesIsNotHeldInTheLowType) {
  const Elements in = elements(DType::bf16, Values(512, 1.0));
  const Elements out = elements(DType::bf16, {0});
  launch(KernelId::reduce, {.types = {DType::bf16, DType::bf16}}, line(512), {in, out});
  EXPECT_EQ(out.read(), Values{512});
}

TEST_F(OracleReduce, TiesShareTheGradientOfAnExtremum) {
  EXPECT_EQ(gradient(Reduction::max, {3, 1, 3, 3}, {3}, {6}, line(4)), (Values{2, 0, 2, 2}));
  EXPECT_EQ(gradient(Reduction::min, {3, 1, 2, 3}, {1}, {6}, line(4)), (Values{0, 6, 0, 0}));
}

TEST_F(OracleReduce, TheGradientOfANaNExtremumIsZero) {
  EXPECT_EQ(gradient(Reduction::max, {3, kNaN}, {kNaN}, {6}, line(2)), (Values{0, 0}));
}

}  // namespace
}  // namespace amphora::testing
