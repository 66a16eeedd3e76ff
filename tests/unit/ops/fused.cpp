// Ops whose fused kernel the device lacks: they are composed of other kernels, and nobody else notices.
#include "amphora/ops/fused.h"

#include "amphora/train/step.h"
#include "support/recorded.h"
#include "support/without_fused.h"
#include "unit/ops/gradcheck.h"

namespace amphora::testing {
namespace {

using Inputs = std::vector<Tensor>;

std::uint64_t launches_of_fused(const Device& device) {
  std::uint64_t count = 0;
  for (const KernelId kernel : kFusedKernels) count += device.counters().launches[static_cast<std::size_t>(kernel)];
  return count;
}

class Composed : public GradCheck {
 protected:
  Composed() { device = open_without_fused({.threads = 1, .cpu_oracle = true}); }
  void TearDown() override { EXPECT_EQ(launches_of_fused(*device), 0u); }
};

TEST_F(Composed, SoftmaxHasTheRightGradient) {
  for (const int axis : {0, 1, -1}) {
    check([=](const Inputs& in) { return softmax(in[0], axis); }, {{{2, 3, 4}, -2, 2}});
    check([=](const Inputs& in) { return log_softmax(in[0], axis); }, {{{2, 3, 4}, -2, 2}});
  }
}

TEST_F(Composed, SoftmaxKeepsItsTypeAndRoundsOnce) {
  const Values values = {1.0, 2.0, 0.5, -3.0};
  const auto whole = open_device("cpu", {.threads = 1, .cpu_oracle = true});
  for (const DType type : {DType::f16, DType::bf16, DType::f64}) {
    const auto run = [&](Device& on) {
      return softmax(Tensor::from(on, {2, 2}, std::span<const double>(values), type));
    };
    EXPECT_EQ(run(*device).dtype(), type);
    EXPECT_TRUE(close_values(run(*device).to_doubles(), run(*whole).to_doubles(), type == DType::f64 ? 1e-15 : 0.0));
  }
}

TEST_F(Composed, NoElementsAreNoWork) {
  for (const Shape& shape : {Shape{0, 3}, Shape{3, 0}}) {
    const Tensor x = Tensor::empty(*device, shape, DType::f16).set_requires_grad();
    const Tensor y = softmax(x);
    y.backward(Tensor::empty(*device, shape, DType::f16));
    EXPECT_EQ(x.grad().shape(), shape);
  }
}

TEST_F(Composed, APolicyCastsTheOpAndNotItsParts) {
  const Tensor x = random_tensor({{4, 8}});
  const Tensor low = cast(x, DType::f16).set_requires_grad();
  const amp::Autocast region(DType::f16, {{"sum", amp::CastRule::refuse}, {"sub", amp::CastRule::refuse}});
  autograd::Trace trace;
  const Tensor y = softmax(low);
  EXPECT_EQ(y.dtype(), DType::f32);
  y.backward(Tensor::full(*device, {4, 8}, 1.0));
  ASSERT_EQ(trace.lines().size(), 2u) << trace.str();
  EXPECT_EQ(trace.lines()[0].op, "softmax");
  EXPECT_EQ(trace.lines()[1].op, "softmax");
}

TEST_F(Composed, CallsGoByTheNameOfTheOp) {
  const Tensor x = Tensor::full(*device, {2, 3}, 1.0).set_requires_grad();
  const Recorded recorded = record(*device, {x}, [&] {
    const Tensor y = softmax(x);
    y.backward(y.detach());
    return Inputs{x.grad()};
  });
  EXPECT_GT(recorded.plan.calls.size(), 8u);
  for (const plan::PlannedCall& call : recorded.plan.calls) EXPECT_EQ(call.op, "softmax") << calls_of(recorded.plan);
}

TEST_F(Composed, MessagesNameTheFusedKernel) {
  const Tensor x = Tensor::full(*device, {2, 3}, 1.0, DType::i32);
  EXPECT_EQ(message_of([&] {
              ops::launch_fused({KernelId::softmax, {}, RowsParams{2, 3}}, {x, x});
            }),
            "cpu cannot run softmax r:i32[24 B] w:i32[24 B]: softmax takes a floating type for x, not i32");
}

TEST_F(Composed, TheDeviceSaysSo) {
  const Support support = device->supports(KernelId::softmax, {});
  EXPECT_FALSE(support.supported);
  EXPECT_EQ(support.path, "it has no such kernel; the op composes it of others");
}

// The losses of a model whose probabilities are to become the targets.
Values train(Device& device, Precision precision, bool eager) {
  RandomSource random(3);
  nn::Sequential model(nn::Linear({device, random}, 6, 16), nn::Tanh(), nn::Linear({device, random}, 16, 5));
  optim::Sgd optimizer(model.parameters(), {.lr = 0.1f});
  const Tensor targets = softmax(Tensor::from(device, {8, 5}, nn::uniform({8, 5}, -4.0f, 4.0f, {7, 0})));
  train::Step step(device,
                   [&](const Tensor& x) {
                     Tensor loss;
                     {
                       const amp::Autocast region(precision);
                       loss = sum(square(softmax(model(x)) - targets)) + sum(log_softmax(model(x)) * targets) * -0.1f;
                     }
                     loss.backward();
                     optimizer.step();
                     optimizer.zero_grad();
                     return loss;
                   },
                   {.eager = eager});
  const Tensor x = Tensor::from(device, {8, 6}, nn::uniform({8, 6}, -1.0f, 1.0f, {7, 1}));
  Values losses;
  for (int i = 0; i < 20; ++i) losses.push_back(step(x).loss());
  EXPECT_EQ(step.reason_against_replay(), "");
  return losses;
}

// A step adds some hundred roundings to what it learns from: of f32, or of the 16-bit copies of weights that f32 moved
// across a rounding's edge.
TEST_F(Composed, TrainingGivesTheLossesOfFusedKernels) {
  const auto whole = open_device("cpu", {.threads = 2});
  const auto lacking = open_without_fused({.threads = 2});
  for (const auto& [precision, unit] : {std::pair{Precision::f32, 0x1p-24}, std::pair{Precision::f16, 0x1p-11}}) {
    const Values expected = train(*whole, precision, true);
    const Values eager = train(*lacking, precision, true);
    EXPECT_TRUE(close_values(eager, expected, 100 * unit)) << name_of(precision);
    EXPECT_EQ(train(*lacking, precision, false), eager) << name_of(precision);
    EXPECT_LT(expected.back(), 0.8 * expected.front());
  }
  EXPECT_GT(launches_of_fused(*whole), 0u);
  EXPECT_EQ(launches_of_fused(*lacking), 0u);
}

}  // namespace
}  // namespace amphora::testing
