// The GradScaler with optimizers: vectors O1 to O17.
#include <cfloat>
#include <functional>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AmpOptimizer : public CpuTest {
 protected:
  static amp::GradScaler started(const amp::GradScalerOptions& options, const Tensor& loss) {
    amp::GradScaler scaler(options);
    scaler.scale(loss);
    return scaler;
  }
  amp::GradScaler started(const amp::GradScalerOptions& options) { return started(options, scalar(1)); }

  // (w x - y)^2 / 2
  static Tensor half_square(const nn::Parameter& w, double x, double y) {
    const Tensor difference = w * static_cast<float>(x) - static_cast<float>(y);
    return square(difference) * 0.5f;
  }
};
AMPHORA_ON_CPU(AmpOptimizer);

TEST_P(AmpOptimizer, O1_EachOptimizerSkipsByItsOwnGradients) {
  const nn::Parameter a = parameter({1});
  const nn::Parameter b = parameter({1});
  optim::Sgd first({a}, {.lr = 1});
  optim::Sgd second({b}, {.lr = 1});
  amp::GradScaler scaler = started({.init_scale = 128, .growth_interval = 1});
  set_gradient(a, {64});
  set_gradient(b, {kInf});
  scaler.unscale(first);
  EXPECT_TRUE(scaler.step(first).applied());
  EXPECT_FALSE(scaler.step(second).applied());
  scaler.update();
  EXPECT_EQ(a.tensor().item(), 0.5);
  EXPECT_EQ(b.tensor().item(), 1);
  EXPECT_EQ(scaler.scale_value(), 64.0f);
}

TEST_P(AmpOptimizer, O2_TwoOverflowsBackOffOnce) {
  for (const double bad : {kInf, kNan}) {
    GradientList first({vector({bad})});
    GradientList second({vector({bad})});
    amp::GradScaler scaler = started({.init_scale = 64});
    scaler.step(first);
    scaler.step(second);
    scaler.update();
    EXPECT_EQ(scaler.scale_value(), 32.0f);
  }
}

TEST_P(AmpOptimizer, O3_SgdWithMomentumOverAnOverflow) {
  const nn::Parameter w = parameter({1});
  optim::Sgd sgd({w}, {.lr = 0.1f, .momentum = 0.9f});
  amp::GradScaler scaler = started({.init_scale = 4});
  struct Step {
    double scaled_gradient, master, momentum, scale;
  };
  // The second gradient overflows, so the third arrives at scale 2.
  const Step steps[] = {
      {4, 0.8999999761581421, 1, 4}, {kInf, 0.8999999761581421, 1, 2}, {2, 0.7099999785423279, 1.899999976158142, 2}};
  for (const Step& step : steps) {
    set_gradient(w, {step.scaled_gradient});
    scaler.step(sgd);
    scaler.update();
    EXPECT_EQ(w.tensor().item(), step.master);
    EXPECT_EQ(sgd.state(w, "momentum").item(), step.momentum);
    EXPECT_EQ(scaler.scale_value(), step.scale);
  }
}

TEST_P(AmpOptimizer, O4_AdamWOverOverflows) {
  const nn::Parameter w = parameter({1});
  optim::AdamW adamw({w}, {.lr = 0.1f, .weight_decay = 0});
  amp::GradScaler scaler = started({.init_scale = 4});
  struct Step {
    double scaled_gradient, master, m, v, scale;
    int steps;
  };
  const Step steps[] = {{kNan, 1, 0, 0, 2, 0},
                        {2, 0.9000000357627869, 0.10000000149011612, 0.0010000000474974513, 2, 1},
                        {-kInf, 0.9000000357627869, 0.10000000149011612, 0.0010000000474974513, 1, 1},
                        {0.5, 0.806782066822052, 0.14000000059604645, 0.0012490000808611512, 1, 2}};
  for (const Step& step : steps) {
    set_gradient(w, {step.scaled_gradient});
    scaler.step(adamw);
    scaler.update();
    EXPECT_EQ(w.tensor().item(), step.master);
    EXPECT_EQ(adamw.state(w, "m").item(), step.m);
    EXPECT_EQ(adamw.state(w, "v").item(), step.v);
    EXPECT_EQ(scaler.scale_value(), step.scale);
    EXPECT_EQ(adamw.steps(), step.steps);
  }
}

TEST_P(AmpOptimizer, O5_AccumulationKeepsTheScaleOfTheBatch) {
  struct Example {
    double x, y, scaled_gradient, gradient, weight, scale;
  };
  const Example examples[] = {
      {1, 3, -256, -2, 1, 128}, {2, 1, 0, 0, 1, 256}, {0.5, 2, -192, -0.75, 1, 256}, {1, 0, 64, 0.25, 0.96875, 512}};
  for (const bool enabled : {true, false}) {
    const nn::Parameter w = parameter_of(Shape{}, {1});
    optim::Sgd sgd({w}, {.lr = 0.125f});
    amp::GradScaler scaler({.init_scale = 128, .growth_interval = 1, .enabled = enabled});
    int count = 0;
    for (const Example& example : examples) {
      scaler.scale(half_square(w, example.x, example.y)).backward();
      EXPECT_EQ(w.grad().item(), enabled ? example.scaled_gradient : example.gradient);
      if (++count % 2 == 0) {
        scaler.step(sgd);
        scaler.update();
        sgd.zero_grad();
      }
      EXPECT_EQ(w.tensor().item(), example.weight);
      EXPECT_EQ(scaler.scale_value(), enabled ? example.scale : 1);
    }
  }
}

TEST_P(AmpOptimizer, O6_AccumulationEqualsTheRunWithoutAScaler) {
  // Scales are powers of two, so that the scaled run has the same mantissas throughout: it is equal, not only close.
  Random random;
  const Values start = random.normals(12);
  const Values inputs = random.normals(4 * 2 * 3);
  const auto train = [&](bool enabled) {
    const nn::Parameter w = parameter_of({4, 3}, start);
    optim::Sgd sgd({w}, {.lr = 0.05f, .momentum = 0.5f});
    amp::GradScaler scaler({.init_scale = 128, .growth_interval = 1, .enabled = enabled});
    for (int i = 0; i < 4; ++i) {
      const Tensor x = tensor({2, 3}, Values(inputs.begin() + i * 6, inputs.begin() + i * 6 + 6));
      scaler.scale(mean(square(linear(x, w))) * 0.5f).backward();
      if (i % 2 == 0) continue;
      scaler.step(sgd);
      scaler.update();
      sgd.zero_grad();
    }
    EXPECT_EQ(scaler.scale_value(), enabled ? 128.0f * 4 : 1.0f);
    return w.tensor().to_doubles();
  };
  EXPECT_TRUE(same_values(train(true), train(false)));
}

TEST_P(AmpOptimizer, O7_AStepUnscalesAsUnscaleDoes) {
  using Make = std::function<std::unique_ptr<optim::Optimizer>(const nn::Parameter&)>;
  const Make makers[] = {[](const auto& w) {
                           return std::make_unique<optim::Sgd>(optim::Parameters{w},
                                                               optim::SgdOptions{.lr = 0.1f, .momentum = 0.9f});
                         },
                         [](const auto& w) {
                           return std::make_unique<optim::Adam>(optim::Parameters{w},
                                                                optim::AdamOptions{.lr = 0.1f, .weight_decay = 0.1f});
                         },
                         [](const auto& w) {
                           return std::make_unique<optim::AdamW>(optim::Parameters{w},
                                                                 optim::AdamWOptions{.lr = 0.1f, .weight_decay = 0.1f});
                         }};
  Random random;
  for (const float scale : {1024.0f, 3.0f, 12345.678f}) {
    for (const Make& make : makers) {
      const Values start = random.normals(33);
      const nn::Parameter explicitly = parameter(start);
      const nn::Parameter within = parameter(start);
      const auto first = make(explicitly);
      const auto second = make(within);
      amp::GradScaler scaler = started({.init_scale = scale});
      for (int step = 0; step < 3; ++step) {
        const Values gradient = random.normals(33, scale);
        set_gradient(explicitly, gradient);
        set_gradient(within, gradient);
        scaler.unscale(*first);
        scaler.step(*first);
        scaler.step(*second);
        scaler.update();
        // One multiplication by the same inverse on both paths, so the bits agree at every scale.
        EXPECT_TRUE(same_values(explicitly.tensor(), within.tensor().to_doubles())) << "scale " << scale;
      }
    }
  }
}

TEST_P(AmpOptimizer, O8_TheOptimizerSeesTheFindingAndTheScale) {
  GradientList optimizer({vector({1})});
  amp::GradScaler scaler = started({});
  scaler.step(optimizer);
  EXPECT_EQ(optimizer.applications, 1);
  EXPECT_TRUE(optimizer.saw_stats && optimizer.saw_scaler && optimizer.saw_unscale);
  amp::GradScaler off({.enabled = false});
  off.step(optimizer);
  EXPECT_EQ(optimizer.applications, 2);
  EXPECT_FALSE(optimizer.saw_stats || optimizer.saw_scaler || optimizer.saw_unscale);
}

TEST_P(AmpOptimizer, O9_ASkippedStepLeavesTheGradientsScaled) {
  const nn::Parameter w = parameter({1, 2});
  optim::Adam adam({w}, {.lr = 0.1f});
  amp::GradScaler scaler = started({.init_scale = 4});
  set_gradient(w, {kInf, 8});
  EXPECT_FALSE(scaler.step(adam).applied());
  EXPECT_TRUE(same_values(w.tensor(), {1, 2}));
  EXPECT_TRUE(same_values(w.grad(), {kInf, 8}));
  EXPECT_TRUE(same_values(adam.state(w, "m"), {0, 0}));
  EXPECT_EQ(adam.steps(), 0);
  scaler.update();
  EXPECT_EQ(scaler.scale_value(), 2.0f);
}

TEST_P(AmpOptimizer, O10_GradientsAreNotDividedTwice) {
  GradientList optimizer({vector({8})});
  amp::GradScaler scaler = started({.init_scale = 4});
  scaler.unscale(optimizer);
  scaler.step(optimizer);
  EXPECT_FALSE(optimizer.saw_unscale);
  EXPECT_EQ(optimizer.gradients()[0].item(), 2);
}

TEST_P(AmpOptimizer, O11_LowGradientsAreInspected) {
  for (const DType low : kLowTypes) {
    GradientList fine({vector({1, 2}, low)});
    GradientList bad({vector({1, kInf}, low)});
    amp::GradScaler scaler = started({});
    EXPECT_TRUE(scaler.step(fine).applied());
    EXPECT_FALSE(scaler.step(bad).applied());
  }
}

TEST_P(AmpOptimizer, O12_AnyFindingButZeroSkips) {
  const nn::Parameter w = parameter({1});
  optim::Sgd sgd({w}, {.lr = 1});
  for (const double found : {1.0, 2.0, 0.5, -1.0}) {
    set_gradient(w, {1});
    sgd.apply(vector({found}), {}, false);
    EXPECT_EQ(w.tensor().item(), 1) << found;
  }
  EXPECT_EQ(sgd.steps(), 0);
}

TEST_P(AmpOptimizer, O13_AFirstOverflowLeavesNoTraceInTheMomentum) {
  const auto run = [&](const Values& scaled_gradients) {
    const nn::Parameter w = parameter({1});
    optim::Sgd sgd({w}, {.lr = 0.1f, .momentum = 0.9f, .dampening = 0.5f});
    amp::GradScaler scaler = started({.init_scale = 4, .dynamic = false});
    for (const double gradient : scaled_gradients) {
      set_gradient(w, {gradient});
      scaler.step(sgd);
      scaler.update();
    }
    return Values{w.tensor().item(), sgd.state(w, "momentum").item()};
  };
  EXPECT_EQ(run({kInf, kNan, 4, 2}), run({4, 2}));
}

TEST_P(AmpOptimizer, O14_AScaleOfZeroIsRefusedAndNeverReached) {
  EXPECT_THROW(amp::GradScaler({.init_scale = 0, .min_scale = 0}), Error);
  amp::GradScaler scaler = started({.init_scale = 0x1p-120f});
  EXPECT_THROW(scaler.update(0.0f), Error);
  GradientList optimizer({vector({kInf})});
  for (int i = 0; i < 40; ++i) {
    scaler.step(optimizer);
    scaler.update();
  }
  EXPECT_EQ(scaler.scale_value(), FLT_MIN);
}

TEST_P(AmpOptimizer, O16_TheInitialScaleOverflowsAnF16GradientOnce) {
  const nn::Parameter w = parameter({1});
  optim::Sgd sgd({w}, {.lr = 0x1p-10f});
  amp::GradScaler scaler;
  const auto iterate = [&] {
    scaler.scale(sum(cast(w, DType::f16))).backward();
    const bool applied = scaler.step(sgd).applied();
    scaler.update();
    sgd.zero_grad();
    return applied;
  };
  EXPECT_FALSE(iterate());  // 65536 is above the largest f16
  EXPECT_EQ(scaler.scale_value(), 32768.0f);
  EXPECT_TRUE(iterate());
  EXPECT_EQ(w.tensor().item(), 1 - 0x1p-10);
}

TEST_P(AmpOptimizer, O17_TheScaleLiftsAGradientAboveTheSubnormalsOfF16) {
  EXPECT_EQ(vector({1e-8}, DType::f16).item(), 0);
  const Tensor carried = cast(vector({1e-8}) * 65536.0f, DType::f16);
  EXPECT_EQ(carried.item(), 0.0006551742553710938);
  const Tensor gradient = cast(carried, DType::f32);
  GradientList optimizer({gradient});
  started({}).unscale(optimizer);
  EXPECT_EQ(gradient.item(), 9.997165761888027e-09);
}

}  // namespace
}  // namespace amphora::testing
