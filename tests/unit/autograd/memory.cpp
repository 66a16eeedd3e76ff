// What the tape holds, and when it lets go.
#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class AutogradMemory : public CpuTest {
 protected:
  std::size_t in_use() const { return device->memory().current_total; }
  std::size_t in_use(MemoryKind kind) const { return device->memory().current[static_cast<std::size_t>(kind)]; }
};
AMPHORA_ON_CPU(AutogradMemory);

TEST_P(AutogradMemory, BackwardFreesWhatTheTapeSaved) {
  const Tensor x = tensor({64, 64}, Values(4096, 0.01)).set_requires_grad();
  x.set_grad(tensor({64, 64}, Values(4096, 0.0)));  // its memory exists from here on
  const std::size_t before = in_use();
  Tensor loss;
  {
    Tensor h = x;
    for (int i = 0; i < 5; ++i) h = amphora::tanh(matmul(h, h));
    loss = sum(h);
  }
  const std::size_t held = in_use() - before;
  EXPECT_GE(held, 10u * 4096 * 4);  // a product and an activation a layer
  loss.backward();
  // The loss lives, and so do the empty nodes behind it; no array does.
  EXPECT_EQ(in_use() - before, loss.buffer()->bytes());
}

TEST_P(AutogradMemory, WithoutATapeResultsAreFreedAtOnce) {
  const Tensor x = tensor({32, 32}, Values(1024, 0.5)).set_requires_grad();
  const std::size_t before = in_use();
  const autograd::NoGrad no_grad;
  Tensor h = x;
  for (int i = 0; i < 8; ++i) h = relu(h);
  EXPECT_EQ(in_use() - before, 4096u);
  EXPECT_LE(device->memory().peak_total - before, 2u * 4096);
}

TEST_P(AutogradMemory, ATapeThatIsDroppedFreesEverything) {
  const Tensor x = tensor({16}, Values(16, 0.5)).set_requires_grad();
  const std::size_t before = in_use();
  {
    const Tensor loss = sum(amphora::exp(x * x));
    EXPECT_GT(in_use(), before);
  }
  EXPECT_EQ(in_use(), before);
}

TEST_P(AutogradMemory, TrainingStepsDoNotGrow) {
  RandomSource source(1);
  const nn::Init init{*device, source};
  nn::Sequential model(nn::Linear(init, 8, 16), nn::ReLU(), nn::Dropout(init, 0.1f), nn::Linear(init, 16, 4));
  optim::AdamW optimizer(model.parameters());
  amp::GradScaler scaler;
  const auto step = [&] {
    Tensor loss;
    {
      const amp::Autocast region(DType::f16);
      loss = cross_entropy(model(tensor({2, 8}, Values(16, 0.1))), labels({1, 3}));
    }
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    optimizer.zero_grad();
  };
  step();
  step();
  const std::size_t after_two = in_use();
  const std::uint64_t allocations = device->counters().allocations;
  for (int i = 0; i < 5; ++i) step();
  EXPECT_EQ(in_use(), after_two);
  EXPECT_EQ(device->counters().allocations, allocations) << "the pool serves every later step";
}

TEST_P(AutogradMemory, MemoryIsAccountedByItsUse) {
  const nn::Parameter w = parameter({1, 2, 3, 4});
  EXPECT_EQ(in_use(MemoryKind::masters), 16u);
  EXPECT_EQ(in_use(MemoryKind::gradients), 16u);
  EXPECT_EQ(in_use(MemoryKind::working_copies), 0u);
  w.working_copy(DType::f16);
  EXPECT_EQ(in_use(MemoryKind::working_copies), 8u);
  optim::Adam adam({w});
  EXPECT_EQ(in_use(MemoryKind::optimizer_state), 2u * 16 + sizeof(GroupState));
  EXPECT_EQ(in_use(MemoryKind::activations), 0u);
}

TEST_P(AutogradMemory, AParameterIsFreedWithItsLastHandle) {
  const std::size_t before = in_use();
  {
    const nn::Parameter w = parameter_of({2, 2}, {1, 2, 3, 4});
    const amp::Autocast region(DType::bf16);
    const Tensor loss = sum(linear(tensor({1, 2}, {1, 1}), w));
  }
  EXPECT_EQ(in_use(), before);
}

}  // namespace
}  // namespace amphora::testing
