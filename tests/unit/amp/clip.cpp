// Gradient clipping: vectors C1 to C18.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

constexpr float kInfF = std::numeric_limits<float>::infinity();

class AmpClip : public CpuTest {
 protected:
  // Clips one tensor a list in place: the norm before, and the elements after, one list behind the other.
  struct Clipped {
    double norm;
    Values gradients;
  };
  Clipped clip(const std::vector<Values>& lists, float max_norm, float order = 2, DType type = DType::f32) {
    std::vector<Tensor> gradients;
    for (const Values& list : lists) gradients.push_back(vector(list, type));
    const double norm = optim::clip_grad_norm(gradients, max_norm, {.order = order}).item();
    return {norm, joined(gradients)};
  }
  static Values joined(const std::vector<Tensor>& tensors) {
    Values all;
    for (const Tensor& one : tensors) {
      const Values values = one.to_doubles();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};
AMPHORA_ON_CPU(AmpClip);

#define EXPECT_CLIPPED(call, want_norm, ...)                                    \
  do {                                                                          \
    const auto clipped = call;                                                  \
    EXPECT_TRUE(same_values({clipped.norm}, {static_cast<double>(want_norm)})); \
    EXPECT_TRUE(same_values(clipped.gradients, __VA_ARGS__));                   \
  } while (false)

TEST_P(AmpClip, C1_ScalesToTheLimit) {
  EXPECT_CLIPPED(clip({{3}, {4}}, 1), 5, {0.5999999046325684, 0.7999998331069946});
}

TEST_P(AmpClip, C2_ANormAtTheLimitStillShrinks) {
  EXPECT_CLIPPED(clip({{3}, {4}}, 5), 5, {2.9999992847442627, 3.9999990463256836});
}

TEST_P(AmpClip, C3_ANormBelowTheLimitChangesNothing) { EXPECT_CLIPPED(clip({{3}, {4}}, 10), 5, {3, 4}); }

TEST_P(AmpClip, C4_TheInfiniteNorm) {
  EXPECT_CLIPPED(clip({{3}, {-4}}, 1, kInfF), 4, {0.7499998211860657, -0.9999997615814209});
}

TEST_P(AmpClip, C4_TheSmallestMagnitude) { EXPECT_EQ(clip({{3, 5}, {-4}}, 1, -kInfF).norm, 3); }

TEST_P(AmpClip, C5_TheNormOfOrderOne) {
  EXPECT_CLIPPED(clip({{3}, {-4}}, 1, 1), 7, {0.42857134342193604, -0.5714284777641296});
}

TEST_P(AmpClip, C6_TheNormOfOrderOneHalf) {
  EXPECT_CLIPPED(clip({{1}, {4}}, 1, 0.5f), 9, {0.1111110970377922, 0.4444443881511688});
}

TEST_P(AmpClip, C7_ZerosStayZeros) { EXPECT_CLIPPED(clip({{0, 0}, {0}}, 1), 0, {0, 0, 0}); }

TEST_P(AmpClip, C7_ParametersWithoutGradientsHaveTheNormZero) {
  EXPECT_EQ(optim::clip_grad_norm(std::vector<nn::Parameter>{parameter({1})}, 1).item(), 0);
}

TEST_P(AmpClip, C7_AnEmptyListIsAnError) {
  EXPECT_THROW(optim::clip_grad_norm(std::vector<nn::Parameter>{}, 1), Error);
  EXPECT_THROW(optim::clip_grad_norm(std::vector<Tensor>{}, 1), Error);
}

TEST_P(AmpClip, C8_AnInfiniteNormGivesZerosAndNan) { EXPECT_CLIPPED(clip({{kInf, 1}, {2}}, 1), kInf, {kNan, 0, 0}); }

TEST_P(AmpClip, C8_AnErrorOnRequestLeavesTheGradients) {
  for (const double bad : {kInf, kNan}) {
    const std::vector<Tensor> gradients = {vector({bad, 1}), vector({2})};
    EXPECT_THROW(optim::clip_grad_norm(gradients, 1, {.error_if_nonfinite = true}), Error);
    EXPECT_TRUE(same_values(joined(gradients), {bad, 1, 2}));
  }
}

TEST_P(AmpClip, C9_NanReachesEveryGradient) {
  EXPECT_CLIPPED(clip({{kNan, 1}, {2}}, 1), kNan, {kNan, kNan, kNan});
  EXPECT_CLIPPED(clip({{kNan, 1}, {2}}, 1, kInfF), kNan, {kNan, kNan, kNan});
  EXPECT_CLIPPED(clip({{1}, {2, kNan}}, 1, kInfF), kNan, {kNan, kNan, kNan});
}

TEST_P(AmpClip, C10_FiniteGradientsMayHaveAnInfiniteNorm) { EXPECT_CLIPPED(clip({{1e20, 1e20}}, 1), kInf, {0, 0}); }

TEST_P(AmpClip, C11_ClippingScaledGradientsNeedsAScaledLimit) {
  const Tensor a = vector({196608});
  const Tensor b = vector({262144});
  amp::GradScaler scaler;
  scaler.scale(scalar(1));
  GradientList optimizer({a, b});
  scaler.unscale(optimizer);
  EXPECT_EQ(optim::clip_grad_norm({a, b}, 1).item(), 5);
  EXPECT_TRUE(same_values(joined({a, b}), {0.5999999046325684, 0.7999998331069946}));

  EXPECT_CLIPPED(clip({{196608}, {262144}}, 65536), 327680, {39321.6015625, 52428.80078125});
  EXPECT_EQ(39321.6015625 / 65536, 0.6000000238418579);
}

TEST_P(AmpClip, C12_TheUnscaledLimitOnScaledGradientsShrinksThem) {
  const Clipped clipped = clip({{196608}, {262144}}, 1);
  // 0.6 and 0.8 of 1 / 65536; each of three roundings is half a unit of 2^-23.
  EXPECT_NEAR(clipped.gradients[0] / 65536, 0.6 / 65536, 0.6 / 65536 * 3 * 0x1p-24);
  EXPECT_NEAR(clipped.gradients[1] / 65536, 0.8 / 65536, 0.8 / 65536 * 3 * 0x1p-24);
}

TEST_P(AmpClip, C13_NormsOfManyOrders) {
  Values ramp(100);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<double>(i) + 1;
  const Values small(10, 0.001);
  const std::pair<float, double> norms[] = {
      {0.5f, 451287.34375}, {1.5f, 1179.3579}, {2.0f, 581.6786}, {4.0f, 212.7924}, {kInfF, 100}};
  for (const auto& [order, want] : norms) {
    // An f32 sum of 110 terms is off by at most 110 half units, a root of order p by 1 / p of that. The reference has
    // seven digits.
    const double tolerance = 110 * 0x1p-24 / std::min(1.0f, order) + 1e-7;
    const Clipped clipped = clip({ramp, small}, 2, order);
    EXPECT_NEAR(clipped.norm, want, want * tolerance) << "order " << order;
    const Clipped again = clip({clipped.gradients}, 1e9f, order);
    EXPECT_NEAR(again.norm, 2, 2 * (2 * tolerance + 1e-6 / want)) << "order " << order;
  }
}

TEST_P(AmpClip, C13_TheNormDoesNotDependOnTheSplitIntoTensors) {
  Random random;
  const Values all = random.normals(300);
  const Values head(all.begin(), all.begin() + 130);
  const Values tail(all.begin() + 130, all.end());
  for (const float order : {1.0f, 2.0f, 3.0f, kInfF}) {
    const double whole = clip({all}, 1, order).norm;
    EXPECT_NEAR(clip({head, tail}, 1, order).norm, whole, whole * 300 * 0x1p-24) << "order " << order;
  }
}

TEST_P(AmpClip, C14_Bf16Gradients) { EXPECT_CLIPPED(clip({{3, 4}}, 1, 2, DType::bf16), 5, {0.6015625, 0.80078125}); }

TEST_P(AmpClip, C15_TheNormOfMixedTypesIsF32) {
  const Tensor low = vector({3, 4}, DType::bf16);
  const Tensor full = vector({12});
  const Tensor norm = optim::clip_grad_norm({low, full}, 100);
  EXPECT_EQ(norm.dtype(), DType::f32);
  EXPECT_EQ(norm.item(), 13);
}

TEST_P(AmpClip, C16_ALimitOfZeroGivesZerosAndOneBelowIsRefused) {
  EXPECT_CLIPPED(clip({{3}, {4}}, 0), 5, {0, 0});
  for (const double limit : {-1.0, static_cast<double>(kNan)}) EXPECT_THROW(clip({{3}, {4}}, limit), Error) << limit;
}

TEST_P(AmpClip, C17_ClippingByValue) {
  const std::vector<Tensor> gradients = {vector({1, -3, kInf, kNan})};
  optim::clip_grad_value(gradients, 2);
  EXPECT_TRUE(same_values(gradients[0], {1, -2, 2, kNan}));
  EXPECT_THROW(optim::clip_grad_value(gradients, -1), Error);
}

TEST_P(AmpClip, C18_ASkippedStepAfterClippingAnInfiniteGradient) {
  const nn::Parameter w = parameter({5, 6});
  optim::Sgd sgd({w}, {.lr = 1});
  amp::GradScaler scaler({.init_scale = 2});
  scaler.scale(scalar(1));
  set_gradient(w, {kInf, 2});
  scaler.unscale(sgd);
  EXPECT_EQ(optim::clip_grad_norm(optim::Parameters{w}, 1).item(), kInf);
  EXPECT_TRUE(same_values(w.grad(), {kNan, 0}));
  EXPECT_FALSE(scaler.step(sgd).applied());
  scaler.update();
  EXPECT_TRUE(same_values(w.tensor(), {5, 6}));
  EXPECT_EQ(scaler.scale_value(), 1.0f);
}

TEST_P(AmpClip, AnOrderOfZeroOrBelowIsRefused) {
  EXPECT_THROW(clip({{1}}, 1, 0), Error);
  EXPECT_THROW(clip({{1}}, 1, -2), Error);
}

}  // namespace
}  // namespace amphora::testing
