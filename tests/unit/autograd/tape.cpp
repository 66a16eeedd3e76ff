// The tape: leaves, recording, the order of backward, and what it refuses.
#include <thread>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AutogradTape : public CpuTest {
 protected:
  Tensor leaf(const Values& values, DType dtype = DType::f32) { return vector(values, dtype).set_requires_grad(); }
};
AMPHORA_ON_CPU(AutogradTape);

TEST_P(AutogradTape, BackwardTwiceIsAnErrorThatNamesTheOp) {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(square(x));
  y.backward();
  EXPECT_THROW(y.backward(), StateError);
  const Tensor h = square(x);
  sum(h).backward();
  EXPECT_NE(message_of([&] { sum(h * h).backward(); }).find("'square'"), std::string::npos);
}

TEST_P(AutogradTape, BackwardNeedsATapeAndAScalar) {
  EXPECT_THROW(sum(vector({1, 2})).backward(), Error);
  const Tensor y = leaf({1, 2}) * 2.0f;
  EXPECT_NE(message_of([&] { y.backward(); }).find("[2]"), std::string::npos);
  EXPECT_THROW(y.backward(vector({1, 2, 3})), Error);
  EXPECT_NO_THROW(y.backward(vector({1, 2})));
}

TEST_P(AutogradTape, ASeedWeighsTheResults) {
  const Tensor x = leaf({1, 2, 3});
  square(x).backward(vector({1, 10, -1}));
  EXPECT_TRUE(same_values(x.grad(), {2, 40, -6}));
}

TEST_P(AutogradTape, BackwardOfALeafGivesTheSeed) {
  const Tensor x = leaf({5});
  x.backward();
  EXPECT_EQ(x.grad().item(), 1);
}

TEST_P(AutogradTape, GradientsAccumulateUntilTheyAreCleared) {
  const Tensor x = leaf({1, 2});
  sum(x * 3.0f).backward();
  sum(x * 4.0f).backward();
  EXPECT_TRUE(same_values(x.grad(), {7, 7}));
  x.clear_grad();
  EXPECT_FALSE(x.grad().defined());
  sum(x * 5.0f).backward();
  EXPECT_TRUE(same_values(x.grad(), {5, 5}));
}

TEST_P(AutogradTape, ASetGradientIsACopyThatBackwardAddsTo) {
  const Tensor x = leaf({1, 2});
  const Tensor given = vector({10, 20});
  x.set_grad(given);
  sum(x).backward();
  EXPECT_TRUE(same_values(x.grad(), {11, 21}));
  EXPECT_TRUE(same_values(given, {10, 20}));
  EXPECT_THROW(x.set_grad(vector({1})), Error);
  EXPECT_THROW(vector({1}).set_grad(vector({1})), Error);
}

TEST_P(AutogradTape, NothingIsRecordedWithoutNeed) {
  const Tensor x = leaf({1});
  EXPECT_FALSE((vector({1}) * 2.0f).requires_grad());
  {
    const autograd::NoGrad no_grad;
    EXPECT_FALSE(autograd::grad_enabled());
    EXPECT_FALSE((x * 2.0f).requires_grad());
    { const autograd::NoGrad nested; }
    EXPECT_FALSE(autograd::grad_enabled());
  }
  EXPECT_TRUE(autograd::grad_enabled());
  EXPECT_TRUE((x * 2.0f).requires_grad());
}

TEST_P(AutogradTape, NoGradHoldsInItsThreadAndEndsWithAnException) {
  try {
    const autograd::NoGrad no_grad;
    bool elsewhere = false;
    std::thread([&] { elsewhere = autograd::grad_enabled(); }).join();
    EXPECT_TRUE(elsewhere);
    add(vector({1, 2}), vector({1, 2, 3}));
    FAIL();
  } catch (const Error&) {
    EXPECT_TRUE(autograd::grad_enabled());
  }
}

TEST_P(AutogradTape, DetachCutsTheTapeAndSharesTheElements) {
  const Tensor x = leaf({2});
  const Tensor y = x * 3.0f;
  EXPECT_FALSE(y.detach().requires_grad());
  EXPECT_EQ(y.detach().buffer(), y.buffer());
  sum(y.detach() * y).backward();  // d(6 y)/dx, not d(y^2)/dx
  EXPECT_EQ(x.grad().item(), 18);
}

TEST_P(AutogradTape, OnlyFloatingLeavesRequireGradients) {
  Tensor integers = labels({1});
  EXPECT_THROW(integers.set_requires_grad(), Error);
  Tensor result = leaf({1}) * 2.0f;
  EXPECT_NE(message_of([&] { result.set_requires_grad(); }).find("'affine'"), std::string::npos);
  for (const DType type : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    const Tensor x = leaf({1, 2}, type);
    sum(x * 2.0f).backward(scalar(1, type));
    EXPECT_EQ(x.grad().dtype(), type);
    EXPECT_TRUE(same_values(x.grad(), {2, 2}));
  }
}

TEST_P(AutogradTape, ANodeWithSeveralOutputsRunsOnceWithWhatArrived) {
  const Tensor x = leaf({1, 2});
  int runs = 0;
  const auto split = [&] {
    std::vector<Tensor> outputs = {vector({1}), vector({2}), vector({3})};
    autograd::record("split", outputs, {x}, [&](const Tensor& dy, autograd::Gradients& gradients) {
      ++runs;
      EXPECT_FALSE(dy.defined());
      EXPECT_FALSE(gradients.of_output(2).defined());
      EXPECT_TRUE(same_values(gradients.of_output(1), {5}));
      gradients.give(0, vector({0, 5}));
    });
    return outputs;
  };
  const std::vector<Tensor> y = split();
  (sum(y[1] * 2.0f) + sum(y[1] * 3.0f)).backward();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(same_values(x.grad(), {0, 5}));
}

TEST_P(AutogradTape, AFrozenLeafGetsNoGradient) {
  Tensor x = leaf({1});
  const Tensor w = leaf({2});
  x.set_requires_grad(false);
  EXPECT_FALSE(x.requires_grad());
  sum(x * w).backward();
  EXPECT_FALSE(x.grad().defined());
  EXPECT_EQ(w.grad().item(), 1);
  x.set_requires_grad(true);
  sum(x * w).backward();
  EXPECT_EQ(x.grad().item(), 2);
}

TEST_P(AutogradTape, ALeafFrozenAfterTheForwardGetsNoGradientEither) {
  Tensor x = leaf({1});
  const Tensor w = Tensor::from(*device, {1, 1}, std::vector<double>{2}, DType::f32).set_requires_grad();
  Tensor frozen = Tensor::from(*device, {1, 1}, std::vector<double>{2}, DType::f32).set_requires_grad();
  const Tensor y = linear(x, w) + linear(x, frozen);
  x.set_requires_grad(false);
  frozen.set_requires_grad(false);
  y.backward();
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(frozen.grad().defined());
  EXPECT_EQ(w.grad().item(), 1);
}

TEST_P(AutogradTape, ATapeMayBeContinuedInAnotherThread) {
  const Tensor x = leaf({3});
  Tensor h;
  std::thread([&] {
    for (int i = 0; i < 100; ++i) h = x * 2.0f;
  }).join();
  // Both products must be through before the gradient of h flows on, although this thread has recorded less.
  sum(h * 5.0f + h * 7.0f).backward();
  EXPECT_EQ(x.grad().item(), 24);
}

TEST_P(AutogradTape, FanOutAddsUpBeforeItFlowsOn) {
  const Tensor x = leaf({3});
  const Tensor h = x * 2.0f;  // its gradient must be complete before it reaches x
  sum(h * h + h * 5.0f).backward();
  EXPECT_EQ(x.grad().item(), (2 * 6 + 5) * 2);
}

TEST_P(AutogradTape, ASharedGradientIsNotAddedToInPlace) {
  const Tensor a = leaf({1});
  const Tensor b = leaf({1});
  const Tensor c = a * 2.0f;
  const Tensor d = b * 2.0f;
  // `+` hands one gradient to c and d; c gathers a second, which must not reach d.
  sum((c + d) + c * 10.0f).backward();
  EXPECT_EQ(a.grad().item(), 22);
  EXPECT_EQ(b.grad().item(), 2);
}

TEST_P(AutogradTape, AGradientTakesTheTypeOfItsTensor) {
  const Tensor x = leaf({1, 2}, DType::f16);
  const Tensor w = leaf({3, 4});
  sum(x * w).backward();
  EXPECT_EQ(x.grad().dtype(), DType::f16);
  EXPECT_EQ(w.grad().dtype(), DType::f32);
  EXPECT_TRUE(same_values(x.grad(), {3, 4}));
  EXPECT_TRUE(same_values(w.grad(), {1, 2}));
}

TEST_P(AutogradTape, BroadcastGradientsAreSummedInF32) {
  // 300 contributions of 1 sum to 256 in bf16 arithmetic; in f32 they are 300, rounded once.
  const Tensor w = vector({1}, DType::bf16).set_requires_grad();
  const Tensor x = Tensor::full(*device, {300, 1}, 1, DType::bf16);
  mul(x, w).backward(Tensor::full(*device, {300, 1}, 1, DType::bf16));
  EXPECT_EQ(w.grad().item(), 300);
}

TEST_P(AutogradTape, ALeafUsedTwiceInOneOpGetsBothContributions) {
  const Tensor x = leaf({3});
  sum(x * x).backward();
  EXPECT_EQ(x.grad().item(), 6);
  const Tensor w = Tensor::from(*device, {1, 1}, std::vector<double>{2}, DType::f32).set_requires_grad();
  linear(w, w).backward();
  EXPECT_EQ(w.grad().item(), 4);
}

TEST_P(AutogradTape, HandlesOfOneTensorShareItsGradient) {
  const Tensor x = leaf({1});
  const std::vector<Tensor> handles{x};
  const Tensor& other = handles.front();
  sum(other * 2.0f).backward();
  EXPECT_TRUE(other.is_same(x));
  EXPECT_EQ(x.grad().item(), 2);
}

TEST_P(AutogradTape, ALongChainOfOpsRunsAndIsFreed) {
  // Far more than a stack has room for; a sanitizer's frames are larger, and slower.
  constexpr int kOps = AMPHORA_SANITIZED ? 20'000 : 100'000;
  const Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < kOps; ++i) y = y + 1.0f;
  y.backward();
  EXPECT_EQ(x.grad().item(), 1);
  Tensor dropped = x;  // a chain that no backward() consumes
  for (int i = 0; i < kOps; ++i) dropped = dropped + 1.0f;
  dropped = Tensor();
}

}  // namespace
}  // namespace amphora::testing
