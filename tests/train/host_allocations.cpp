// A replayed step allocates nothing, on the device or on the host, and waits for nothing.
// Not under sanitizers, which have allocations of their own.
#if !AMPHORA_SANITIZED
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "amphora/amphora.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  if (counting) ++allocations;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// All of this program's. Never inlined: a compiler that sees free() beside a new it does not see through complains.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace amphora {
namespace {

TEST(ReplayedStep, AllocatesNothingAndWaitsForNothing) {
  const auto device = open_device("null");
  constexpr int kLayers = 97;
  RandomSource random(1);
  const nn::Init init{*device, random};
  nn::Sequential model;
  for (int i = 0; i < kLayers; ++i) {
    model.add(std::make_shared<nn::Linear>(init, 8, 8, nn::LinearOptions{.activation = Activation::relu}));
  }
  model.add(std::make_shared<nn::Dropout>(init, 0.1f));
  const auto parameters = model.parameters();
  optim::AdamW optimizer(parameters);
  optimizer.follow(optim::warmup_cosine(1e-3f, 10, 100));
  amp::GradScaler scaler;
  optim::Ema ema(parameters, 0.9f);
  train::Step step(*device,
                   [&](const data::ImageBatch& batch) {
                     Tensor loss;
                     {
                       const amp::Autocast autocast(DType::f16);
                       loss = cross_entropy(model(batch.images), batch.labels);
                     }
                     scaler.scale(loss).backward();
                     scaler.unscale(optimizer);
                     optim::clip_grad_norm(parameters, 1.0f);
                     scaler.step(optimizer);
                     scaler.update();
                     optimizer.zero_grad();
                     ema.update();
                     return loss;
                   },
                   {.scaler = &scaler, .verify = train::Verify::never});
  std::vector<data::ImageBatch> batches;
  for (int i = 0; i < 2; ++i) {
    batches.push_back({Tensor::zeros(*device, {4, 8}, DType::f32, MemoryKind::inputs),
                       Tensor::zeros(*device, {4}, DType::i32, MemoryKind::inputs)});
  }

  constexpr int kWarmUp = 8;
  constexpr int kSteps = 20;
  std::vector<train::StepResult> late(2);  // held as long as a monitor holds them
  for (int i = 0; i < kWarmUp + kSteps; ++i) {
    if (i == kWarmUp) {
      device->reset_counters();
      allocations = 0;
      counting = true;
    }
    late[static_cast<std::size_t>(i % 2)] = step(batches[static_cast<std::size_t>(i % 2)]);
  }
  counting = false;
  EXPECT_EQ(allocations, 0);
  EXPECT_EQ(device->counters().waits, 0u);
  EXPECT_EQ(device->counters().allocations, 0u);
  std::uint64_t launches = 0;
  for (const std::uint64_t count : device->counters().launches) launches += count;
  EXPECT_GE(launches, 500u * kSteps);
  EXPECT_EQ(launches % kSteps, 0u);
}

}  // namespace
}  // namespace amphora
#endif
