// Which types ops have under autocast: vectors A1 to A15, A22, A24 to A26, A29 and A30.
#include <functional>
#include <thread>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AmpAutocast : public CpuTest {
 protected:
  Tensor square2(DType type = DType::f32) { return tensor({2, 2}, {1, 2, 3, 4}, type); }
  Tensor row(DType type = DType::f32) { return vector({0.25, 0.5}, type); }
  Tensor integers() { return labels({1, 2}); }

  // Calls `check` in a region of each 16-bit type.
  template <class Check>
  static void in_each_region(Check check) {
    for (const DType low : kLowTypes) {
      SCOPED_TRACE(std::string(name_of(low)));
      const amp::Autocast region(low);
      check(low);
    }
  }
};
AMPHORA_ON_CPU(AmpAutocast);

TEST_P(AmpAutocast, A1_ProductsAreLow) {
  in_each_region([&](DType low) {
    EXPECT_EQ(matmul(square2(), square2()).dtype(), low);
    EXPECT_EQ(matmul(square2(low), square2()).dtype(), low);
    EXPECT_EQ(matmul(square2(), square2(low)).dtype(), low);
    EXPECT_EQ(linear(square2(), square2(), row()).dtype(), low);
    EXPECT_EQ(linear(square2(low), square2(), row(), Activation::relu).dtype(), low);
    EXPECT_EQ(matmul(reshape(square2(), {1, 2, 2}), reshape(square2(), {1, 2, 2})).dtype(), low);
    EXPECT_EQ(matmul(reshape(square2(), {1, 2, 2}), square2()).dtype(), low);
  });
}

TEST_P(AmpAutocast, A1_ALowTensorOfTheOtherTypeIsConvertedToo) {
  const amp::Autocast region(DType::bf16);
  EXPECT_EQ(matmul(square2(DType::f16), square2()).dtype(), DType::bf16);
}

TEST_P(AmpAutocast, A2_F64AndIntegersAreNotConverted) {
  in_each_region([&](DType) {
    EXPECT_EQ(matmul(square2(DType::f64), square2(DType::f64)).dtype(), DType::f64);
    EXPECT_THROW(matmul(square2(DType::f64), square2()), Error);
    EXPECT_THROW(matmul(tensor({1, 1}, {1}, DType::i32), tensor({1, 1}, {1}, DType::i32)), Error);  // no such kernel
  });
}

TEST_P(AmpAutocast, A3_PointwiseOpsFollowTheirInput) {
  using Op = Tensor (*)(const Tensor&);
  const Op follow[] = {relu,         gelu,   silu,         sigmoid,      amphora::tanh, amphora::sqrt,
                       amphora::abs, square, amphora::sin, amphora::cos, mean};
  in_each_region([&](DType low) {
    for (const Op op : follow) {
      EXPECT_EQ(op(row(low)).dtype(), low);
      EXPECT_EQ(op(row()).dtype(), DType::f32);
    }
    EXPECT_EQ(leaky_relu(row(low)).dtype(), low);
    EXPECT_EQ(clamp(row(low), 0, 1).dtype(), low);
    EXPECT_EQ((-row(low)).dtype(), low);
    EXPECT_EQ(dropout(row(low), 0.5f, {1, 2}).dtype(), low);
    EXPECT_EQ(mean(square2(low), 0).dtype(), low);
    EXPECT_EQ(amphora::max(square2(low), 1).dtype(), low);
    EXPECT_EQ(amphora::min(square2(low), 1).dtype(), low);
  });
}

TEST_P(AmpAutocast, A4_SoftmaxIsF32) {
  in_each_region([&](DType low) {
    for (const int axis : {0, 1}) {
      EXPECT_EQ(softmax(square2(low), axis).dtype(), DType::f32);
      EXPECT_EQ(log_softmax(square2(low), axis).dtype(), DType::f32);
    }
  });
  EXPECT_EQ(softmax(square2(DType::f16)).dtype(), DType::f16);
}

TEST_P(AmpAutocast, A5_OpsThatLeaveTheRangeAreF32) {
  using Op = Tensor (*)(const Tensor&);
  const Op full[] = {amphora::exp, amphora::expm1, amphora::log, amphora::log1p, rsqrt, reciprocal, softplus, sum};
  in_each_region([&](DType low) {
    for (const Op op : full) EXPECT_EQ(op(row(low)).dtype(), DType::f32);
    EXPECT_EQ(amphora::pow(row(low), 2).dtype(), DType::f32);
    EXPECT_EQ(sum(square2(low), 0).dtype(), DType::f32);
  });
  for (const Op op : full) EXPECT_EQ(op(row(DType::bf16)).dtype(), DType::bf16);  // outside of a region
}

TEST_P(AmpAutocast, A6_LossesAreF32) {
  in_each_region([&](DType low) {
    EXPECT_EQ(mse_loss(row(low), row()).dtype(), DType::f32);
    EXPECT_EQ(mse_loss(row(low), row(low), LossReduction::none).dtype(), DType::f32);
    EXPECT_EQ(bce_with_logits(row(low), row(low)).dtype(), DType::f32);
    EXPECT_EQ(cross_entropy(square2(low), labels({0, 1})).dtype(), DType::f32);
  });
}

TEST_P(AmpAutocast, A7_CrossEntropyOfProbabilitiesIsRefused) {
  in_each_region([&](DType low) {
    EXPECT_NE(message_of([&] { bce(row(low), row(low)); }).find("bce_with_logits"), std::string::npos);
    EXPECT_THROW(bce(row(), row()), Error);
    const amp::Autocast off(false);
    EXPECT_EQ(bce(row(), row()).dtype(), DType::f32);
  });
}

TEST_P(AmpAutocast, A8_ConcatenationPromotes) {
  in_each_region([&](DType low) {
    EXPECT_EQ(cat({row(low), row()}, 0).dtype(), DType::f32);
    EXPECT_EQ(cat({row(low), row(low)}, 0).dtype(), low);
    EXPECT_EQ(stack({row(low), row()}, 0).dtype(), DType::f32);
    EXPECT_EQ(stack({row(low), row(low)}, 0).dtype(), low);
  });
}

TEST_P(AmpAutocast, A9_ArithmeticPromotes) {
  in_each_region([&](DType low) {
    EXPECT_EQ((row(low) + row()).dtype(), DType::f32);
    EXPECT_EQ((row() * row(low)).dtype(), DType::f32);
    EXPECT_EQ((row(low) * 2.0f).dtype(), low);
    EXPECT_EQ((row(low) + row(DType::f64)).dtype(), DType::f64);
    EXPECT_EQ((row(low) + row(low)).dtype(), low);
    EXPECT_EQ((row(DType::f16) + row(DType::bf16)).dtype(), DType::f32);
    EXPECT_EQ(maximum(row(low), row()).dtype(), DType::f32);
    EXPECT_EQ((integers() + row(low)).dtype(), low);
  });
}

TEST_P(AmpAutocast, A9_AScalarTensorDoesNotWiden) {
  EXPECT_EQ((row(DType::f16) * scalar(2)).dtype(), DType::f16);
  EXPECT_EQ((scalar(2, DType::f64) * row(DType::bf16)).dtype(), DType::bf16);
  EXPECT_EQ((scalar(2, DType::f16) * scalar(2)).dtype(), DType::f32);
  EXPECT_EQ((integers() * scalar(0.5, DType::f16)).dtype(), DType::f16);
}

TEST_P(AmpAutocast, A14_IneligibleInputsKeepTheirType) {
  in_each_region([&](DType) {
    EXPECT_EQ(sum(row(DType::f64)).dtype(), DType::f64);
    EXPECT_EQ(amphora::pow(row(DType::f64), 2).dtype(), DType::f64);
    EXPECT_EQ(softmax(row(DType::f64)).dtype(), DType::f64);
    EXPECT_EQ(mse_loss(row(DType::f64), row(DType::f64)).dtype(), DType::f64);
    EXPECT_EQ(sum(integers()).dtype(), DType::i32);
    EXPECT_EQ(sum(integers()).item(), 3);
  });
}

TEST_P(AmpAutocast, A15_RegionsNest) {
  for (const DType low : kLowTypes) {
    const amp::Autocast region(low);
    const Tensor inside = matmul(square2(), square2());
    {
      const amp::Autocast off(false);
      EXPECT_THROW(matmul(square2(), inside), Error);
      EXPECT_EQ(matmul(square2(), cast(inside, DType::f32)).dtype(), DType::f32);
      const amp::Autocast on(true);
      EXPECT_EQ(matmul(square2(), inside).dtype(), low);
    }
    EXPECT_EQ(matmul(square2(), square2()).dtype(), low);
    {
      const amp::Autocast other(DType::bf16);
      EXPECT_EQ(matmul(square2(), square2()).dtype(), DType::bf16);
    }
    EXPECT_EQ(matmul(square2(), square2()).dtype(), low);
  }
  EXPECT_EQ(matmul(square2(), square2()).dtype(), DType::f32);
}

TEST_P(AmpAutocast, A22_LeavesGetF32GradientsAndActivationsLowOnes) {
  for (const DType low : kLowTypes) {
    const nn::Parameter weight = parameter_of({2, 2}, {1, 2, 3, 4});
    const nn::Parameter bias = parameter({0.5, 0.5});
    const Tensor x = square2().set_requires_grad();
    const Tensor activation = [&] {
      const amp::Autocast region(low);
      return linear(x, weight, bias);
    }();
    const autograd::Trace trace;
    sum(cast(activation, DType::f32)).backward();
    EXPECT_EQ(weight.grad().dtype(), DType::f32);
    EXPECT_EQ(bias.grad().dtype(), DType::f32);
    EXPECT_EQ(x.grad().dtype(), DType::f32);
    std::vector<DType> ran_in;
    for (const autograd::TraceLine& line : trace.lines()) {
      if (line.op == "linear") ran_in.push_back(line.ran_in);
    }
    EXPECT_EQ(ran_in, std::vector<DType>{low});
  }
}

TEST_P(AmpAutocast, A22_AGradientIsRoundedToItsActivation) {
  // 1 + 2^-12 fits f32 but neither 16-bit type: what reaches x has passed through the activation's type.
  for (const DType low : kLowTypes) {
    const Tensor x = vector({1}).set_requires_grad();
    const Tensor activation = cast(x, low);
    mul(cast(activation, DType::f32), vector({1 + 0x1p-12})).backward();
    EXPECT_EQ(x.grad().item(), 1);
  }
}

TEST_P(AmpAutocast, A28_BackwardRunsInTheForwardsTypesWhateverTheRegion) {
  Random random;
  const Values values = random.normals(25);
  const auto gradient = [&](const std::function<void(const Tensor&)>& backward) {
    const Tensor x = tensor({5, 5}, values).set_requires_grad();
    const Tensor loss = [&] {
      const amp::Autocast region(DType::f16);
      return mean(softmax(gelu(matmul(x, transpose(x)))) * amphora::tanh(linear(x, x)));
    }();
    backward(loss);
    return bytes_of(x.grad());
  };
  const auto outside = gradient([](const Tensor& loss) { loss.backward(); });
  for (const DType low : kLowTypes) {
    EXPECT_EQ(gradient([low](const Tensor& loss) {
                const amp::Autocast region(low);
                loss.backward();
              }),
              outside);
  }
}

TEST_P(AmpAutocast, A24_ANewThreadStartsOutside) {
  const amp::Autocast region(DType::f16);
  std::optional<DType> elsewhere = DType::f32;
  std::thread([&] { elsewhere = amp::active_dtype(); }).join();
  EXPECT_EQ(elsewhere, std::nullopt);
  EXPECT_EQ(amp::active_dtype(), DType::f16);
}

TEST_P(AmpAutocast, A25_AnExceptionRestoresTheState) {
  const amp::Autocast outer(DType::bf16, {{"gelu", amp::CastRule::full}});
  try {
    const amp::Autocast region(DType::f16, {{"gelu", amp::CastRule::lower}});
    matmul(square2(), vector({1}));
    FAIL();
  } catch (const Error&) {
    EXPECT_EQ(amp::active_dtype(), DType::bf16);
    EXPECT_EQ(amp::override_of("gelu"), amp::CastRule::full);
  }
}

TEST_P(AmpAutocast, A26_AnUnsupportedTypeIsAnError) {
  EXPECT_THROW(amp::Autocast{DType::f64}, Error);
  EXPECT_THROW(amp::Autocast{DType::i32}, Error);
  EXPECT_EQ(amp::active_dtype(), std::nullopt);
}

TEST_P(AmpAutocast, A29_TheResultIsThatOfInputsConvertedByHand) {
  struct Case {
    const char* name;
    DType (*ran_in)(DType low);
    std::function<Tensor(const Tensor&)> op;
  };
  const auto low_type = [](DType low) { return low; };
  const auto full = [](DType) { return DType::f32; };
  const Case cases[] = {
      {"matmul", low_type, [](const Tensor& x) { return matmul(x, transpose(x)); }},
      {"linear", low_type, [](const Tensor& x) { return linear(x, x, {}, Activation::gelu); }},
      {"softmax", full, [](const Tensor& x) { return softmax(x); }},
      {"log_softmax", full, [](const Tensor& x) { return log_softmax(x, 0); }},
      {"sum", full, [](const Tensor& x) { return sum(x, 0); }},
      {"exp", full, [](const Tensor& x) { return amphora::exp(x); }},
      {"log1p", full, [](const Tensor& x) { return amphora::log1p(square(cast(x, DType::f32))); }},
      {"pow", full, [](const Tensor& x) { return amphora::pow(x, 3); }},
      {"softplus", full, [](const Tensor& x) { return softplus(x); }},
      {"mse", full, [](const Tensor& x) { return mse_loss(x, transpose(x)); }},
      {"bce_with_logits", full, [](const Tensor& x) { return bce_with_logits(x, x); }},
  };
  Random random;
  const Values values = random.normals(49);
  for (const DType low : kLowTypes) {
    const Tensor x = tensor({7, 7}, values, low);  // a low input: both casts are exact, only the op's type differs
    for (const Case& c : cases) {
      const Tensor by_hand = c.op(cast(x, c.ran_in(low)));
      const amp::Autocast region(low);
      const Tensor by_policy = c.op(x);
      EXPECT_EQ(by_policy.dtype(), by_hand.dtype()) << c.name;
      EXPECT_EQ(bytes_of(by_policy), bytes_of(by_hand)) << c.name << " in " << name_of(low);
    }
  }
}

TEST_P(AmpAutocast, A30_ALongBf16SumIsRoundedOnce) {
  const Tensor ones = Tensor::full(*device, {257, 1}, 1);
  const amp::Autocast region(DType::bf16);
  EXPECT_EQ(matmul(transpose(ones), ones).item(), 256);  // 257 lies halfway between 256 and 258
}

}  // namespace
}  // namespace amphora::testing
