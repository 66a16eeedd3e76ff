#include "backends/cpu/device.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "backends/cpu/backend.h"

namespace amphora {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

std::size_t in_use(const Device& device, MemoryKind kind) {
  return device.memory().current[static_cast<std::size_t>(kind)];
}

TEST(CpuDevice, NamesProcessorThreadsAndKernels) {
  const auto device = cpu::open({.threads = 2, .cpu_oracle = true});
  EXPECT_EQ(device->info().backend, "cpu");
  EXPECT_TRUE(device->info().name.ends_with(", 2 threads, scalar oracle")) << device->info().name;
  EXPECT_EQ(device->info().precisions, (std::vector{Precision::f32, Precision::f16, Precision::bf16}));
}

TEST(CpuDevice, RefusesANegativeNumberOfThreads) { EXPECT_THROW(cpu::open({.threads = -1}), Error); }

TEST(CpuDevice, BuffersAreAlignedTo64Bytes) {
  const auto device = cpu::open({.threads = 1});
  for (const std::size_t bytes : {1, 63, 64, 65, 1000, 100000}) {
    const BufferPtr buffer = device->allocate(bytes, MemoryKind::activations);
    KernelCall call(KernelId::fill, {}, FillParams{});
    const void* data = cpu::data_of(call.with({buffer.get(), 0, bytes}), 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u);
  }
}

TEST(CpuDevice, AnEmptyBufferIsLegal) {
  const auto device = cpu::open({.threads = 1});
  const BufferPtr buffer = device->allocate(0, MemoryKind::activations);
  EXPECT_EQ(buffer->bytes(), 0u);
  device->download(*buffer, 0, {});
}

TEST(CpuDevice, UploadsAndReadsAtOffsets) {
  const auto device = cpu::open({.threads = 1});
  const BufferPtr buffer = device->allocate(8, MemoryKind::inputs);
  const std::int32_t values[] = {3, 4};
  device->upload(*buffer, 0, std::as_bytes(std::span(values)));
  std::int32_t second = 0;
  device->download(*buffer, 4, std::as_writable_bytes(std::span(&second, 1)));
  EXPECT_EQ(second, 4);
  EXPECT_THROW(device->upload(*buffer, 4, std::as_bytes(std::span(values))), Error);
}

TEST(CpuDevice, AReadbackKeepsWhatWasThereWhenItWasAskedFor) {
  const auto device = cpu::open({.threads = 1});
  const BufferPtr buffer = device->allocate(4, MemoryKind::inputs);
  std::int32_t value = 1;
  device->upload(*buffer, 0, std::as_bytes(std::span(&value, 1)));
  const auto readback = device->read_later(*buffer, 0, 4);
  value = 2;
  device->upload(*buffer, 0, std::as_bytes(std::span(&value, 1)));
  EXPECT_EQ(readback->get()[0], std::byte{1});
}

TEST(CpuDevice, ReusesMemoryOfTheSameSize) {
  const auto device = cpu::open({.threads = 1});
  const auto step = [&] {
    const BufferPtr a = device->allocate(1000, MemoryKind::activations);
    const BufferPtr b = device->allocate(5 * kMebibyte, MemoryKind::gradients);
    const BufferPtr c = device->allocate(5 * kMebibyte, MemoryKind::gradients);
  };
  step();
  EXPECT_EQ(device->counters().allocations, 3u);
  device->reset_counters();
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(device->counters().allocations, 0u);
}

TEST(CpuDevice, AccountsByKind) {
  const auto device = cpu::open({.threads = 1});
  BufferPtr a = device->allocate(1000, MemoryKind::masters);
  {
    const BufferPtr b = device->allocate(500, MemoryKind::activations);
    EXPECT_EQ(device->memory().current_total, 1500u);
  }
  EXPECT_EQ(in_use(*device, MemoryKind::masters), 1000u);
  EXPECT_EQ(in_use(*device, MemoryKind::activations), 0u);
  EXPECT_EQ(device->memory().peak_total, 1500u);
  a.reset();
  EXPECT_EQ(device->memory().current_total, 0u);
}

TEST(CpuDevice, RefusesMoreMemoryThanTheMachineHas) {
  const auto device = cpu::open({.threads = 1});
  const BufferPtr some = device->allocate(3 * kMebibyte, MemoryKind::masters);
  for (const std::size_t bytes : {SIZE_MAX, SIZE_MAX - 64, std::size_t{1} << 60}) {
    try {
      device->allocate(bytes, MemoryKind::optimizer_state);
      FAIL() << bytes << " bytes were given";
    } catch (const OutOfMemory& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("optimizer_state"), std::string::npos) << message;
      EXPECT_NE(message.find("3.0 MiB in use"), std::string::npos) << message;
    }
  }
}

TEST(CpuDevice, ABufferMayOutliveItsDevice) {
  auto device = cpu::open({.threads = 1});
  BufferPtr buffer = device->allocate(100, MemoryKind::activations);
  device.reset();
  buffer.reset();
}

TEST(CpuDevice, SaysWhichKernelsRunAndWhyNot) {
  const auto device = cpu::open({.threads = 1, .cpu_oracle = true});
  EXPECT_EQ(device->supports(KernelId::matmul, {}).path, "oracle");
  const Support refused = device->supports(KernelId::softmax, {.types = {DType::f32, DType::i32}});
  EXPECT_FALSE(refused.supported);
  EXPECT_EQ(refused.path, "softmax takes a floating type for y, not i32");
}

TEST(CpuDevice, SupportsEveryFloatingTypeInEveryKernel) {
  const auto device = cpu::open({.threads = 1});
  for (int i = 0; i < kKernelCount; ++i) {
    const auto kernel = static_cast<KernelId>(i);
    for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
      Spec spec{.types = {type, type, type, type}};
      if (kernel == KernelId::cross_entropy || kernel == KernelId::cross_entropy_grad) spec.types[1] = DType::i32;
      if (kernel == KernelId::optimizer_step) spec.types[1] = DType::f32;
      if (kernel == KernelId::gradient_norm || kernel == KernelId::clip_norm) spec.types[1] = DType::f32;
      EXPECT_TRUE(device->supports(kernel, spec).supported) << name_of(kernel) << " " << name_of(type);
    }
  }
}

TEST(CpuDevice, RefusesALaunchItCannotRun) {
  const auto device = cpu::open({.threads = 1});
  const BufferPtr buffer = device->allocate(16, MemoryKind::inputs);
  KernelCall call(KernelId::clip_value, {.types = {DType::i32}}, ClipParams{4, 1.0f});
  EXPECT_THROW(device->launch(call.with({buffer.get(), 0, 16})), Error);
}

TEST(CpuPool, GivesBackUnusedMemoryBeforeItRefuses) {
  cpu::BlockPool pool(10 * kMebibyte);
  const auto small = pool.take(6 * kMebibyte);
  ASSERT_NE(small.data, nullptr);
  EXPECT_EQ(pool.take(8 * kMebibyte).data, nullptr);
  pool.give_back(small.data, 6 * kMebibyte);
  const auto large = pool.take(8 * kMebibyte);
  EXPECT_NE(large.data, nullptr);
  EXPECT_EQ(pool.held(), 8 * kMebibyte);
  pool.give_back(large.data, 8 * kMebibyte);
}

TEST(CpuPool, HoldsAtMostAnEighthMoreThanWasAsked) {
  for (std::size_t bytes = 1; bytes < 40 * kMebibyte; bytes = bytes * 9 / 8 + 61) {
    cpu::BlockPool pool(SIZE_MAX / 2);
    const auto block = pool.take(bytes);
    EXPECT_GE(pool.held(), bytes);
    EXPECT_LE(pool.held(), bytes + bytes / 8 + 64);
    pool.give_back(block.data, bytes);
  }
}

}  // namespace
}  // namespace amphora
