// The trace of what ran in which type, and the policy as ops meet it: overrides, custom ops, module paths.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

using autograd::Trace;
using autograd::TraceLine;

class AutogradTrace : public CpuTest {
 protected:
  nn::Parameter weight = parameter_of({2, 2}, {1, 2, 3, 4}, "weight");
  Tensor x = tensor({1, 2}, {1, 1});
};
AMPHORA_ON_CPU(AutogradTrace);

TEST_P(AutogradTrace, ALineSaysRuleTypesAndCasts) {
  const Trace trace;
  const amp::Autocast region(DType::f16);
  linear(x, weight);
  ASSERT_EQ(trace.lines().size(), 1u);
  const TraceLine& line = trace.lines()[0];
  EXPECT_EQ(line.phase, "forward");
  EXPECT_EQ(line.op, "linear");
  EXPECT_EQ(line.rule, "lower");
  EXPECT_EQ(line.ran_in, DType::f16);
  EXPECT_EQ(line.inputs, (std::vector<DType>{DType::f32, DType::f32}));
  EXPECT_EQ(line.casts, (std::vector<std::string>{"0: f32->f16", "1: f32->f16 saved (working copy)"}));
}

TEST_P(AutogradTrace, Tf32IsNamedForwardAndBackward) {
  const Trace trace;
  Tensor loss;
  {
    const amp::Autocast region(Precision::tf32);
    loss = sum(linear(x, weight));
  }
  sum(linear(x, weight)).backward();
  loss.backward();
  std::vector<std::string> ran;
  for (const TraceLine& line : trace.lines()) {
    if (line.op == "linear") ran.push_back(fmt::format("{} {}", line.phase, line.tf32 ? "tf32" : "f32"));
  }
  EXPECT_EQ(ran, (std::vector<std::string>{"forward tf32", "forward f32", "backward f32", "backward tf32"}));
  EXPECT_NE(trace.str().find("tf32"), std::string::npos);
}

TEST_P(AutogradTrace, AConvertingKernelNeedsNoCast) {
  const Trace trace;
  const amp::Autocast region(DType::f16);
  device->reset_counters();
  softmax(vector({1, 2}, DType::f16));
  EXPECT_EQ(launches(KernelId::cast), 0u);
  ASSERT_EQ(trace.lines().size(), 1u);
  EXPECT_EQ(trace.lines()[0].casts, (std::vector<std::string>{"0: f16->f32 saved (load)"}));
  EXPECT_EQ(trace.lines()[0].ran_in, DType::f32);
}

TEST_P(AutogradTrace, AnOverrideIsMarkedAndObeyed) {
  const Trace trace;
  const amp::Autocast region(DType::bf16, {{"linear", amp::CastRule::full}, {"gelu", amp::CastRule::lower}});
  EXPECT_EQ(linear(x, weight).dtype(), DType::f32);
  EXPECT_EQ(gelu(x).dtype(), DType::bf16);
  EXPECT_EQ(trace.lines()[0].rule, "full*");
  EXPECT_EQ(trace.lines()[1].rule, "lower*");
}

TEST_P(AutogradTrace, AnOverrideAllowsARefusedOp) {
  const amp::Autocast region(DType::f16, {{"bce", amp::CastRule::full}});
  EXPECT_EQ(bce(vector({0.5}, DType::f16), vector({1}, DType::f16)).dtype(), DType::f32);
}

TEST_P(AutogradTrace, ACustomOpTakesPartInThePolicy) {
  const amp::OpInfo& op = amp::declare_op("trace_test_average", amp::CastRule::widest);
  const auto average = [&op](const Tensor& left, const Tensor& right) {
    Tensor a = left;
    Tensor b = right;
    const ops::OpScope scope(op, {&a, &b});
    scope.require_one_type();
    EXPECT_EQ(scope.result(), a.dtype());
    return (a + b) * 0.5f;
  };
  const amp::Autocast region(DType::f16);
  const Tensor low = tensor({1, 2}, {3, 5}, DType::f16);
  EXPECT_EQ(average(low, low).dtype(), DType::f16);
  const Tensor mixed = average(low, x);
  EXPECT_EQ(mixed.dtype(), DType::f32);
  EXPECT_TRUE(same_values(mixed, {2, 3}));
  const amp::Autocast other(DType::bf16);
  EXPECT_THROW(average(low, x), Error);
}

TEST_P(AutogradTrace, BackwardNamesTheForwardsModuleAndType) {
  RandomSource source(1);
  const nn::Init init{*device, source};
  nn::Sequential model(nn::Linear(init, 2, 2), nn::ReLU());
  const Tensor y = [&] {
    const amp::Autocast region(DType::bf16);
    return mean(model(x));
  }();
  const Trace trace;
  y.backward();
  std::vector<std::string> in_modules;
  for (const TraceLine& line : trace.lines()) {
    EXPECT_EQ(line.phase, "backward");
    EXPECT_EQ(line.ran_in, DType::bf16) << line.op;
    if (!line.where.empty()) in_modules.push_back(line.op + "@" + line.where);
  }
  EXPECT_EQ(in_modules, (std::vector<std::string>{"relu@1", "linear@0"}));
  EXPECT_EQ(autograd::current_module(), "");
}

TEST_P(AutogradTrace, ATrainingStepTellsItsPhases) {
  optim::Sgd sgd({weight});
  amp::GradScaler scaler;
  const Trace trace;
  scaler.scale(sum(linear(x, weight))).backward();
  scaler.unscale(sgd);
  optim::clip_grad_norm(optim::Parameters{weight}, 1);
  scaler.step(sgd);
  scaler.update();
  std::vector<std::string> steps;
  for (const TraceLine& line : trace.lines()) {
    if (line.phase == "step") steps.push_back(line.op);
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"scale", "unscale", "clip_grad_norm", "sgd", "update"}));
}

TEST_P(AutogradTrace, TracesNestAndTheInnermostCollects) {
  const Trace outer;
  relu(x);
  {
    const Trace inner;
    gelu(x);
    EXPECT_EQ(inner.lines().size(), 1u);
  }
  relu(x);
  EXPECT_EQ(outer.lines().size(), 2u);
  EXPECT_NE(outer.str().find("relu"), std::string::npos);
  EXPECT_EQ(autograd::active_trace(), &outer);
}

}  // namespace
}  // namespace amphora::testing
