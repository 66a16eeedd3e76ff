// A task whose gradients lie below f16's smallest number: without loss scaling nothing is learnt, with dynamic scaling
// as much as in f32.
#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include "amphora/amphora.h"

namespace amphora {
namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kInputs = 16;
constexpr std::int64_t kOutputs = 8;
constexpr int kSteps = 300;
// The loss is this small. Its gradient by an output is at most about 2 * 4 / (64 * 8) * 1e-6 = 1.6e-8, and f16 rounds
// all below 2^-25 = 3e-8 to zero.
constexpr float kTiny = 1e-6f;

struct Outcome {
  double first_loss = 0.0;  // divided by kTiny
  double last_loss = 0.0;
  bool weights_changed = false;
  float loss_scale = 1.0f;
};

Outcome train_tiny(Precision precision, const amp::GradScalerOptions& scaling) {
  const std::shared_ptr<Device> device = open_device("cpu", {.threads = 1});
  RandomSource random(11);
  const nn::Init init{*device, random};
  const Tensor x = Tensor::from(*device, {kRows, kInputs}, nn::normal({kRows, kInputs}, 0.0f, 1.0f, random.next()));
  nn::Linear teacher(init, kInputs, kOutputs);
  nn::Sequential model(nn::Linear(init, kInputs, 32, {.activation = Activation::tanh}), nn::Linear(init, 32, kOutputs));
  const Tensor target = [&] {
    const autograd::NoGrad no_grad;
    return teacher(x);
  }();
  const auto parameters = model.parameters();
  const std::vector<float> before = parameters.front().tensor().to_vector();
  // The rate makes up for the small loss, so that f32 learns at an ordinary pace.
  optim::Sgd optimizer(parameters, {.lr = 0.5f / kTiny, .momentum = 0.9f});
  amp::GradScaler scaler(scaling);

  Outcome outcome;
  for (int step = 0; step < kSteps; ++step) {
    optimizer.zero_grad();
    Tensor loss;
    {
      const amp::Autocast autocast(precision);
      loss = mse_loss(model(x), target) * kTiny;
    }
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    outcome.last_loss = loss.item() / double{kTiny};
    if (step == 0) outcome.first_loss = outcome.last_loss;
  }
  outcome.weights_changed = parameters.front().tensor().to_vector() != before;
  outcome.loss_scale = scaler.scale_value();
  return outcome;
}

const amp::GradScalerOptions kOff{.enabled = false};
const amp::GradScalerOptions kDynamic{.growth_interval = 20};

TEST(TinyGradients, VanishInF16WithoutLossScaling) {
  const Outcome f16 = train_tiny(Precision::f16, kOff);
  EXPECT_FALSE(f16.weights_changed);
  EXPECT_EQ(f16.last_loss, f16.first_loss);
}

TEST(TinyGradients, TeachInF16WithDynamicScalingAsMuchAsInF32) {
  const Outcome f32 = train_tiny(Precision::f32, kOff);
  const Outcome f16 = train_tiny(Precision::f16, kDynamic);
  RecordProperty("f32_loss", std::to_string(f32.last_loss));
  RecordProperty("f16_loss", std::to_string(f16.last_loss));
  EXPECT_LT(f32.last_loss, 0.05 * f32.first_loss);
  // Within 1 % of what there was to learn.
  EXPECT_NEAR(f16.last_loss, f32.last_loss, 0.01 * f32.first_loss);
  EXPECT_GT(f16.loss_scale, 65536.0f);  // grew to where the gradients are well inside f16
}

TEST(TinyGradients, NeedNoScalingInBf16) {
  const Outcome f32 = train_tiny(Precision::f32, kOff);
  const Outcome bf16 = train_tiny(Precision::bf16, kOff);
  EXPECT_NEAR(bf16.last_loss, f32.last_loss, 0.02 * f32.first_loss);
}

}  // namespace
}  // namespace amphora
