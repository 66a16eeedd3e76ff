// What AMPHORA_CHECK=1 finds, and what it says.
#include <algorithm>

#include "amphora/core/context.h"
#include "backends/null/device.h"
#include "support/cpu_test.h"
#include "support/variable.h"

namespace amphora::testing {
namespace {

class ValueCheckTest : public CpuTest {
 protected:
  ValueCheckTest() {
    device->check_values([this](const std::string& text) { reports.push_back(text); });
  }
  ::testing::AssertionResult only_report_says(std::initializer_list<std::string> parts) const {
    if (reports.size() != 1) return ::testing::AssertionFailure() << reports.size() << " reports:\n" << all();
    for (const std::string& part : parts) {
      if (reports[0].find(part) == std::string::npos) {
        return ::testing::AssertionFailure() << "no \"" << part << "\" in\n" << reports[0];
      }
    }
    return ::testing::AssertionSuccess();
  }
  std::string all() const { return fmt::format("{}", fmt::join(reports, "\n")); }
  // Memory of that size which comes from the pool next holds NaN.
  void soil(const Shape& shape) {
    Tensor::full(*device, shape, kNan);
    reports.clear();
  }

  std::vector<std::string> reports;
};
AMPHORA_ON_CPU(ValueCheckTest);

TEST_P(ValueCheckTest, AnOverflowIsToldWithEverythingThatIsKnown) {
  const autograd::ModuleScope module("layers.0");
  context().place.step = 12;
  const Tensor y = mul(vector({1, 300, -2}, DType::f16), vector({7, 400, 1}, DType::f16));
  context().place.step = -1;
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0],
            "amphora: a value is not finite (AMPHORA_CHECK)\n"
            "  value   inf at element 1 of 'y' (f16, 3 in all)\n"
            "  kernel  binary(mul) [3]\n"
            "  place   'mul' of layers.0, forward, step 12\n"
            "  origin  a forward overflow: every operand is finite, the largest is 400 in 'b', and f16 ends at 65504, "
            "unless it is a pole (x / 0, log 0)\n");
  const Tensor z = relu(y + y) - y;  // and a NaN that comes of it
  EXPECT_EQ(reports.size(), 1u) << all();
}

TEST_P(ValueCheckTest, AnInputIsToldWhereItIsReadFirst) {
  const Tensor x = tensor({2, 2}, {1, 2, kNan, 4});
  EXPECT_TRUE(reports.empty());
  relu(x);
  EXPECT_TRUE(only_report_says({"nan at element 2 of 'x' (f32, 4 in all)", "unary(relu) [4]", "'relu', forward",
                                "an input: no kernel has computed it", "(activations)"}));
  gelu(x);
  EXPECT_EQ(reports.size(), 1u) << "known by now";
}

TEST_P(ValueCheckTest, WhatTheHostWritesAnewIsAnInputAgain) {
  const Tensor x = vector({1, 2});
  const auto upload = [&](float value) { device->upload(*x.buffer(), 0, std::as_bytes(std::span(&value, 1))); };
  upload(HUGE_VALF);
  relu(x);
  EXPECT_EQ(reports.size(), 1u);
  upload(3.0f);
  relu(x);
  upload(-HUGE_VALF);
  relu(x);
  EXPECT_EQ(reports.size(), 1u) << "the same place";
  upload(-HUGE_VALF);
  gelu(x);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_NE(reports[1].find("-inf at element 0 of 'x'"), std::string::npos) << reports[1];
}

TEST_P(ValueCheckTest, AMastersValueIsAnInputToo) {
  const nn::Parameter weight = parameter({1, kInf});
  EXPECT_TRUE(only_report_says({"inf at element 1", "an input", "(masters)"}));
}

TEST_P(ValueCheckTest, AnUndefinedResultIsNoOverflow) {
  amphora::log(vector({4, -1}));
  EXPECT_TRUE(
      only_report_says({"nan at element 1 of 'y'", "a forward result", "the largest is 4 in 'x'", "undefined"}));
}

TEST_P(ValueCheckTest, AConstantAndUnwrittenMemoryAreTold) {
  Tensor::full(*device, {3}, -kInf);
  EXPECT_TRUE(only_report_says({"-inf at element 0 of 'out'", "a constant", "outside of ops"}));
  soil({100});
  relu(Tensor::empty(*device, {100}, DType::f32));
  EXPECT_TRUE(only_report_says({"'x'", "memory that nothing has written yet"}));
}

TEST_P(ValueCheckTest, AScaledGradientIsExpectedNowAndThen) {
  RandomSource source(1);
  nn::Sequential net(nn::Linear({*device, source}, 2, 2), nn::Linear({*device, source}, 2, 2));
  optim::Sgd sgd(net.parameters(), {.lr = 0.1f, .momentum = 0.9f});
  amp::GradScaler scaler({.init_scale = 0x1p17f});
  const auto step = [&] {
    Tensor loss;
    {
      const amp::Autocast region(DType::f16);
      loss = sum(net(tensor({1, 2}, {1, 2})));
    }
    scaler.scale(loss).backward();
    scaler.unscale(sgd);
    optim::clip_grad_norm(net.parameters(), 1);
    scaler.step(sgd);
    scaler.update();
    sgd.zero_grad();
  };
  step();
  EXPECT_TRUE(only_report_says({"'sum', backward", "a scaled gradient", "f16 ends at 65504", "the loss scale is 131072",
                                "the step is skipped, the scale backs off"}));
  EXPECT_EQ(device_state(scaler).skipped, 1);
  step();
  step();
  EXPECT_EQ(reports.size(), 1u) << all();
  EXPECT_EQ(device_state(scaler).skipped, 2) << "65536 is too much as well";
}

TEST_P(ValueCheckTest, WithoutAScalerAGradientSaysSo) {
  const Tensor x = vector({0, 1}, DType::f16).set_requires_grad();
  const Tensor y = x * 60000.0f;
  y.backward(vector({1, 2}, DType::f16));
  EXPECT_TRUE(only_report_says({"a scaled gradient", "no GradScaler has scaled the loss"}));
}

TEST_P(ValueCheckTest, ARecomputedOverflowIsTheForwardsOnceMore) {
  nn::Sequential net{nn::ReLU(), nn::Pointwise<square>()};
  net.recompute();
  const Tensor x = vector({300}, DType::f16).set_requires_grad();
  const Tensor y = net(x);
  y.backward(vector({1}, DType::f16));
  EXPECT_TRUE(only_report_says({"'square' of 1, forward"}));
}

TEST_P(ValueCheckTest, WhatLiesBetweenTheElementsIsNotLookedAt) {
  const Tensor wide = tensor({2, 3}, {1, 2, kNan, 3, 4, kNan});
  const Tensor left = slice(wide, 1, 0, 2);
  contiguous(left);
  EXPECT_TRUE(same_values(left + left, {2, 4, 6, 8}));
  EXPECT_TRUE(same_values(matmul(left, tensor({2, 1}, {1, 1})), {3, 7}));
  EXPECT_TRUE(same_values(matmul(transpose(left, 0, 1), tensor({2, 1}, {1, 1})), {4, 6}));
  soil({2, 4});
  EXPECT_TRUE(same_values(cat({left, left}, 1), {1, 2, 1, 2, 3, 4, 3, 4}));
  EXPECT_TRUE(reports.empty()) << all();
  matmul(wide, tensor({3, 1}, {1, 1, 1}));
  EXPECT_TRUE(only_report_says({"nan at element 2 of 'a' (f32, 6 in all)", "an input"}));
}

TEST_P(ValueCheckTest, SoundTrainingIsSilentAndHasTheSameBits) {
  Random random;
  const std::uint64_t seed = random.bits64();
  const Values batch = random.normals(32);
  const auto train = [&](const std::shared_ptr<Device>& on, Precision precision) {
    RandomSource source(seed);
    nn::Sequential net(nn::Linear({*on, source}, 8, 16, {.activation = Activation::gelu}),
                       nn::Dropout({*on, source}, 0.2f), nn::Linear({*on, source}, 16, 3));
    optim::AdamW adam(net.parameters());
    optim::Ema ema(net.parameters(), 0.9f);
    amp::GradScaler scaler({.init_scale = 256.0f});
    const std::int32_t classes[] = {0, 2, 1, 0};
    for (int step = 0; step < 3; ++step) {
      Tensor loss;
      {
        const amp::Autocast region(precision);
        const Tensor x = Tensor::from(*on, {4, 8}, std::span<const double>(batch), DType::f32);
        loss = cross_entropy(net(x), Tensor::from(*on, {4}, std::span(classes)));
      }
      scaler.scale(loss).backward();
      scaler.unscale(adam);
      optim::clip_grad_norm(net.parameters(), 1);
      scaler.step(adam);
      scaler.update();
      adam.zero_grad();
      ema.update();
    }
    EXPECT_EQ(on->counters().waits, 0u);
    on->reset_counters();
    return bytes_of(net.parameters()[0].tensor());
  };
  const auto unchecked = open_device("cpu", {.threads = 2, .cpu_oracle = GetParam()});
  for (const Precision precision : {Precision::f32, Precision::f16, Precision::bf16}) {
    device->reset_counters();
    unchecked->reset_counters();
    EXPECT_EQ(train(device, precision), train(unchecked, precision));
  }
  EXPECT_TRUE(reports.empty()) << all();
}

TEST_P(ValueCheckTest, CompiledCallsAreLookedAtToo) {
  const Tensor x = vector({300}, DType::f16);
  const Tensor y = vector({0}, DType::f16);
  const Spec spec{.types = {DType::f16, DType::f16}, .function = static_cast<std::uint8_t>(UnaryFunction::square)};
  KernelCall call(KernelId::unary, spec, UnaryParams{1, 0, 0});
  const auto executable = device->compile({call.with(range_of(x)).with(range_of(y))});
  device->submit(*executable);
  EXPECT_TRUE(only_report_says({"unary(square) [1]", "outside of ops", "a result: every operand is finite"}));
}

TEST_P(ValueCheckTest, ACallThatIsWrongIsRefusedBeforeItIsLookedAt) {
  const Tensor x = vector({1, 2});
  KernelCall call(KernelId::cast, Spec{}, CountParams{2});
  call.with({x.buffer().get(), 1u << 20, 8}).with(range_of(x));
  EXPECT_NE(message_of([&] { device->launch(call); }).find("leave buffer 'in'"), std::string::npos);
}

// A device that fails when it is waited for.
class FailingDevice : public null::NullDevice {
 protected:
  void do_wait() override { fail("the device is lost"); }
};

TEST(ValueCheck, ACallThatFailsOnTheDeviceIsNamed) {
  FailingDevice device;
  device.check_values({});
  const Tensor x = Tensor::empty(device, {2, 3}, DType::f32);
  const autograd::ModuleScope module("layers.0");
  EXPECT_EQ(message_of([&] { relu(x); }),
            "the device is lost\n  in the call unary(relu) [6], 'relu' of layers.0, forward");
}

TEST(ValueCheck, TheEnvironmentSwitchesItOn) {
  {
    const Variable off("AMPHORA_CHECK", "");
    EXPECT_FALSE(open_device("null")->checks_values());
  }
  {
    const Variable on("AMPHORA_CHECK", "1");
    EXPECT_TRUE(open_device("null")->checks_values());
  }
  const Variable wrong("AMPHORA_CHECK", "all");
  EXPECT_NE(message_of([] { open_device("null"); }).find("AMPHORA_CHECK is 'all'"), std::string::npos);
}

}  // namespace
}  // namespace amphora::testing
