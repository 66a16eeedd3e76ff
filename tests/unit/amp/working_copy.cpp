// Working copies in the place of a cast cache: vectors A16 to A21 and A23.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AmpWorkingCopy : public CpuTest {
 protected:
  nn::Parameter weight = parameter_of({2, 2}, {1, 2, 3, 4}, "weight");
  nn::Parameter bias = parameter({0.5, 0.25}, "bias");
  Tensor x = tensor({1, 2}, {1, 1});

  Tensor forward() {
    const amp::Autocast region(DType::bf16);
    return linear(x, weight, bias);
  }
  // Launches of the cast kernel that a call makes.
  template <class Call>
  std::uint64_t casts(Call call) {
    device->reset_counters();
    call();
    return launches(KernelId::cast);
  }
};
AMPHORA_ON_CPU(AmpWorkingCopy);

TEST_P(AmpWorkingCopy, A16_ParametersAreConvertedOnceAndInputsAtEveryUse) {
  optim::Sgd sgd({weight, bias});  // gathers both into one arena
  EXPECT_EQ(casts([&] { forward(); }), 1u + 1u);
  EXPECT_EQ(casts([&] { forward(), forward(), forward(); }), 3u);
}

TEST_P(AmpWorkingCopy, A16_ParametersThatLieAloneAreConvertedOnceEach) {
  EXPECT_EQ(casts([&] { forward(); }), 2u + 1u);
  EXPECT_EQ(casts([&] { forward(); }), 1u);
}

TEST_P(AmpWorkingCopy, A16_FrozenParametersHaveWorkingCopiesToo) {
  weight.set_requires_grad(false);
  bias.set_requires_grad(false);
  EXPECT_EQ(casts([&] { forward(), forward(); }), 2u + 2u);
}

TEST_P(AmpWorkingCopy, A16_TheOptimizerWritesTheCopyItself) {
  optim::AdamW adamw({weight, bias}, {.lr = 0.5f, .weight_decay = 0.01f});
  forward();
  for (int step = 0; step < 3; ++step) {
    EXPECT_EQ(casts([&] {
                const Tensor y = forward();
                sum(y).backward();
                adamw.step();
                adamw.zero_grad();
              }),
              1u);  // of x alone
    EXPECT_EQ(bytes_of(weight.working_copy(DType::bf16)), bytes_of(cast(weight, DType::bf16)));
    EXPECT_EQ(bytes_of(bias.working_copy(DType::bf16)), bytes_of(cast(bias, DType::bf16)));
  }
}

TEST_P(AmpWorkingCopy, A17_NestedRegionsShareTheCopy) {
  const amp::Autocast outer(DType::bf16);
  EXPECT_EQ(casts([&] {
              {
                const amp::Autocast inner(DType::bf16);
                linear(x, weight, bias);
              }
              linear(x, weight, bias);
              {
                const amp::Autocast off(false);
                linear(x, weight, bias);
              }
              linear(x, weight, bias);
            }),
            2u + 3u);
}

TEST_P(AmpWorkingCopy, A17_EachTypeHasACopyOfItsOwn) {
  const auto in = [&](DType low) {
    const amp::Autocast region(low);
    return linear(x, weight, bias).dtype();
  };
  EXPECT_EQ(casts([&] {
              for (const DType low : {DType::f16, DType::bf16, DType::f16, DType::bf16}) EXPECT_EQ(in(low), low);
            }),
            2u * 2u + 4u);
}

TEST_P(AmpWorkingCopy, A18_RegionsInsideASuspendedOneShareTheCopy) {
  const amp::Autocast outer(DType::bf16);
  const amp::Autocast off(false);
  EXPECT_EQ(casts([&] {
              for (int i = 0; i < 2; ++i) {
                const amp::Autocast on(true);
                linear(x, weight);
              }
            }),
            1u + 2u);
}

TEST_P(AmpWorkingCopy, A19_ADerivedWeightIsConvertedAtEveryUse) {
  const amp::Autocast region(DType::bf16);
  const Tensor view = transpose(weight.tensor());
  EXPECT_EQ(casts([&] { matmul(cast(x, DType::bf16), view), matmul(cast(x, DType::bf16), view); }), 2u);
  EXPECT_EQ(launches(KernelId::copy), 2u);  // the strided view
}

TEST_P(AmpWorkingCopy, A20_AnAssignedMasterIsSeenAtTheNextUse) {
  const amp::Autocast region(DType::bf16);
  EXPECT_EQ(linear(x, weight).to_doubles(), (Values{3, 7}));
  Tensor master = weight.tensor();
  const std::vector<float> values = {10, 20, 30, 40};
  master.assign(values);
  EXPECT_EQ(linear(x, weight).to_doubles(), (Values{30, 70}));
}

TEST_P(AmpWorkingCopy, A20_AnOptimizerStepInsideTheRegionIsSeen) {
  optim::Sgd sgd({weight}, {.lr = 1});
  const amp::Autocast region(DType::bf16);
  EXPECT_EQ(linear(x, weight).to_doubles(), (Values{3, 7}));
  set_gradient(weight, {1, 1, 1, 1});
  sgd.step();
  EXPECT_EQ(linear(x, weight).to_doubles(), (Values{1, 5}));
}

TEST_P(AmpWorkingCopy, A21_AUseWithoutTapeDoesNotLoseTheGradient) {
  const amp::Autocast region(DType::bf16);
  {
    const autograd::NoGrad no_grad;
    EXPECT_FALSE(linear(x, weight).requires_grad());
  }
  const Tensor y = linear(x, weight);
  ASSERT_TRUE(y.requires_grad());
  sum(y).backward();
  EXPECT_TRUE(same_values(weight.grad(), {1, 1, 1, 1}));
}

TEST_P(AmpWorkingCopy, A23_UsesOfOneWeightAreSummedInF32) {
  const nn::Parameter w = parameter_of({1, 1}, {1});
  const amp::Autocast region(DType::bf16);
  const Tensor y = add(linear(tensor({1, 1}, {1}), w), linear(tensor({1, 1}, {1.0 / 512}), w));
  sum(y).backward();
  EXPECT_EQ(w.grad().item(), 1.001953125);
}

}  // namespace
}  // namespace amphora::testing
