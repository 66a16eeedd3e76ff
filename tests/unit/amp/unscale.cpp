// Unscaling and the check for non-finite gradients: vectors U1 to U16.
#include <bit>
#include <cstring>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AmpUnscale : public CpuTest {
 protected:
  // What 1 becomes when it is unscaled: the inverse of the scale.
  double inverse_of(float scale) {
    const Tensor gradient = vector({1});
    unscale({gradient}, scale);
    return gradient.item();
  }

  // Unscales in place; whether an element was not finite.
  bool unscale(const std::vector<Tensor>& gradients, float scale) {
    amp::GradScaler scaler({.init_scale = scale, .min_scale = 0});
    scaler.scale(scalar(1));
    GradientList optimizer(gradients);
    scaler.unscale(optimizer);
    return device_state(scaler).found_inf != 0.0f;
  }

  static Values filled(std::size_t count, double value) { return Values(count, value); }
};
AMPHORA_ON_CPU(AmpUnscale);

TEST_P(AmpUnscale, U1_TheInverseIsRoundedOnce) {
  EXPECT_EQ(inverse_of(65536), 1.52587890625e-05);
  EXPECT_EQ(inverse_of(3), 0.3333333432674408);
  EXPECT_EQ(inverse_of(7), 0.1428571492433548);
  EXPECT_EQ(inverse_of(1000), 0.0010000000474974513);
}

TEST_P(AmpUnscale, U1_AStepThatUnscalesUsesTheSameInverse) {
  const nn::Parameter w = parameter({0});
  optim::Sgd sgd({w}, {.lr = 1});
  amp::GradScaler scaler({.init_scale = 7});
  scaler.scale(scalar(1));
  set_gradient(w, {1});
  scaler.step(sgd);
  EXPECT_EQ(w.tensor().item(), -0.1428571492433548);
}

TEST_P(AmpUnscale, U2_TheInverseReachesInfinityAndSubnormals) {
  EXPECT_EQ(inverse_of(0x1p-127f), 0x1p127);
  EXPECT_EQ(inverse_of(0x1p-128f), kInf);
  EXPECT_EQ(inverse_of(0x1p127f), 0x1p-127);
}

TEST_P(AmpUnscale, U3_EveryElementIsMultiplied) {
  const Tensor a = tensor({10, 10}, filled(100, 4));
  const Tensor b = tensor({10, 10}, filled(100, 4));
  EXPECT_FALSE(unscale({a, b}, 4));
  EXPECT_TRUE(same_values(a, filled(100, 1)));
  EXPECT_TRUE(same_values(b, filled(100, 1)));
}

TEST_P(AmpUnscale, U3_StridedGradientsAreGatheredFirst) {
  const nn::Parameter a = parameter_of({10, 10}, filled(100, 0));
  const nn::Parameter b = parameter_of({10, 5}, filled(50, 0));
  optim::Sgd sgd({a, b}, {.lr = 1});
  a.tensor().set_grad(transpose(tensor({10, 10}, filled(100, 4))));
  b.tensor().set_grad(slice(tensor({10, 10}, filled(100, 4)), 1, 3, 5));
  amp::GradScaler scaler({.init_scale = 4});
  scaler.scale(scalar(1));
  scaler.unscale(sgd);
  EXPECT_EQ(device_state(scaler).found_inf, 0.0f);
  EXPECT_TRUE(same_values(a.grad(), filled(100, 1)));
  EXPECT_TRUE(same_values(b.grad(), filled(50, 1)));
}

TEST_P(AmpUnscale, U4_OneBadElementIsFoundAndTheRestIsStillMultiplied) {
  for (const double bad : {kInf, kNan}) {
    for (const int which : {0, 1}) {
      Values values[2] = {filled(100, 4), filled(100, 4)};
      values[which][22] = bad;
      const Tensor a = tensor({10, 10}, values[0]);
      const Tensor b = tensor({10, 10}, values[1]);
      EXPECT_TRUE(unscale({a, b}, 4));
      Values want[2] = {filled(100, 1), filled(100, 1)};
      want[which][22] = bad;
      EXPECT_TRUE(same_values(a, want[0]));
      EXPECT_TRUE(same_values(b, want[1]));
    }
  }
}

TEST_P(AmpUnscale, U5_AnOverflowIsUnscaledSkippedAndBacksOff) {
  const nn::Parameter w = parameter({3, 5});
  optim::Sgd sgd({w}, {.lr = 1});
  amp::GradScaler scaler({.init_scale = 4, .growth_interval = 1});
  scaler.scale(scalar(1));
  set_gradient(w, {kInf, 8});
  scaler.unscale(sgd);
  EXPECT_TRUE(same_values(w.grad(), {kInf, 2}));
  EXPECT_EQ(device_state(scaler).found_inf, 1.0f);
  EXPECT_THROW(scaler.unscale(sgd), StateError);
  EXPECT_FALSE(scaler.step(sgd).applied());
  EXPECT_TRUE(same_values(w.tensor(), {3, 5}));
  scaler.update();
  EXPECT_EQ(scaler.scale_value(), 2.0f);
}

TEST_P(AmpUnscale, U6_OnlyInfinitiesAndNanAreFound) {
  EXPECT_TRUE(unscale({vector({1, -kInf})}, 4));
  EXPECT_TRUE(unscale({vector({kNan, 1})}, 4));
  EXPECT_FALSE(unscale({vector({-0.0, 0x1p-149, -0x1p-130, 3.4028234663852886e38})}, 4));
}

TEST_P(AmpUnscale, U6_ABadElementIsFoundAtEveryPosition) {
  for (std::size_t count : {1u, 7u, 8u, 17u, 64u, 100u}) {
    for (std::size_t at = 0; at < count; ++at) {
      Values values = filled(count, 1);
      values[at] = at % 2 == 0 ? -kInf : kNan;
      ASSERT_TRUE(unscale({vector(values)}, 2)) << at << " of " << count;
    }
  }
}

TEST_P(AmpUnscale, U7_AScaleOfOneKeepsEveryBit) {
  Random random;
  std::vector<std::uint32_t> bits(999);
  for (auto& word : bits) word = random.bits();
  bits[0] = 0x80000000u;  // -0
  bits[1] = 0x00000001u;  // the smallest subnormal
  bits[2] = 0x7FC12345u;  // a NaN with a payload
  const Tensor gradient = Tensor::empty(*device, {999}, DType::f32);
  device->upload(*gradient.buffer(), 0, std::as_bytes(std::span(bits)));
  unscale({gradient}, 1);
  EXPECT_EQ(std::memcmp(bytes_of(gradient).data(), bits.data(), bits.size() * 4), 0);
}

TEST_P(AmpUnscale, U8_PowersOfTwoAreExact) {
  const Tensor gradient = vector({2048, 1024});
  EXPECT_FALSE(unscale({gradient}, 1024));
  EXPECT_TRUE(same_values(gradient, {2, 1}));
}

TEST_P(AmpUnscale, U11_OneLaunchCoversNeighbouringParameters) {
  const nn::Parameter a = parameter({1, 2});
  const nn::Parameter b = parameter({3});
  const nn::Parameter c = parameter({4});
  optim::Sgd sgd({a, b, c});
  amp::GradScaler scaler;
  scaler.scale(scalar(1));
  for (const nn::Parameter& p : {a, b, c}) set_gradient(p, filled(static_cast<std::size_t>(p.count()), 65536));
  device->reset_counters();
  scaler.unscale(sgd);
  EXPECT_EQ(launches(KernelId::unscale), 1u);
  EXPECT_EQ(device->counters().waits, 0u);
  EXPECT_TRUE(same_values(a.grad(), {1, 1}));
  EXPECT_EQ(c.grad().item(), 1);
}

TEST_P(AmpUnscale, U12_FiniteGradientsDoNotClearTheFinding) {
  EXPECT_TRUE(unscale({vector({kInf}), vector({1}), vector({2})}, 4));
}

TEST_P(AmpUnscale, U13_AnOverflowByTheMultiplicationIsNotFound) {
  for (const bool explicitly : {true, false}) {
    const nn::Parameter w = parameter({0});
    optim::Sgd sgd({w}, {.lr = 1});
    amp::GradScaler scaler({.init_scale = 0x1p-10f});
    scaler.scale(scalar(1));
    set_gradient(w, {1e36});
    if (explicitly) {
      scaler.unscale(sgd);
      EXPECT_EQ(w.grad().item(), kInf);
    }
    EXPECT_TRUE(scaler.step(sgd).applied());
    EXPECT_EQ(device_state(scaler).found_inf, 0.0f);
    EXPECT_EQ(w.tensor().item(), -kInf);
  }
}

TEST_P(AmpUnscale, U14_GradientsOfAnyFloatingTypeAreAccepted) {
  for (const DType type : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    const Tensor gradient = vector({8, -2, 1}, type);
    EXPECT_FALSE(unscale({gradient}, 4)) << name_of(type);
    EXPECT_TRUE(same_values(gradient, {2, -0.5, 0.25})) << name_of(type);
    EXPECT_TRUE(unscale({vector({1, kInf}, type)}, 4)) << name_of(type);
  }
}

TEST_P(AmpUnscale, U15_MultipliesByTheRoundedInverse) {
  const Tensor gradient = vector({10});
  unscale({gradient}, 7);
  EXPECT_EQ(gradient.item(), 1.4285714626312256);
}

TEST_P(AmpUnscale, U16_AGradientOfTwoOptimizersIsUnscaledTwice) {
  const nn::Parameter w = parameter({0});
  optim::Sgd first({w});
  optim::Sgd second({w});
  amp::GradScaler scaler({.init_scale = 4});
  scaler.scale(scalar(1));
  set_gradient(w, {16});
  scaler.unscale(first);
  scaler.unscale(second);
  EXPECT_EQ(w.grad().item(), 1);
}

}  // namespace
}  // namespace amphora::testing
