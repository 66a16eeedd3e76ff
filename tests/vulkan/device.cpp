// Memory, order of calls, copies and clocks of the vulkan backend.
#include <chrono>
#include <numeric>
#include <thread>

#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

TEST_F(VulkanTest, NamesTheDevice) {
  const auto device = open_vulkan();
  EXPECT_EQ(device->info().backend, "vulkan");
  EXPECT_EQ(device->info().name, device->capabilities().name);
  EXPECT_EQ(device->info().precisions, (std::vector{Precision::f32, Precision::f16, Precision::bf16}));
}

TEST_F(VulkanTest, CopiesAtAnyOffset) {
  const auto device = open_vulkan();
  std::vector<std::uint8_t> values(1000);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  const BufferPtr buffer = device->allocate(2000, MemoryKind::inputs);
  device->upload(*buffer, 333, std::as_bytes(std::span(values)));
  std::vector<std::uint8_t> back(500);
  device->download(*buffer, 400, std::as_writable_bytes(std::span(back)));
  for (std::size_t i = 0; i < back.size(); ++i) ASSERT_EQ(back[i], values[i + 67]) << i;
}

TEST_F(VulkanTest, CopiesMoreThanOneStagingPageHolds) {
  const auto device = open_vulkan();
  std::vector<std::uint32_t> values(10 * kMebibyte);
  std::iota(values.begin(), values.end(), 1u);
  EXPECT_EQ(values_of<std::uint32_t>(*device, *buffer_of(*device, values)), values);
}

TEST_F(VulkanTest, TheSourceOfAnUploadMayBeReusedAtOnce) {
  const auto device = open_vulkan();
  const BufferPtr buffer = device->allocate(64 * sizeof(std::uint32_t), MemoryKind::inputs);
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    value = i;
    device->upload(*buffer, i * sizeof(value), std::as_bytes(std::span(&value, 1)));
  }
  const auto values = values_of<std::uint32_t>(*device, *buffer);
  for (std::uint32_t i = 0; i < 64; ++i) EXPECT_EQ(values[i], i);
}

// Each call reads what the one before wrote; memory that is given back is reused while calls are still queued.
TEST_F(VulkanTest, CallsRunInOrder) {
  const auto device = open_vulkan();
  BufferPtr x = buffer_of(*device, std::vector<float>(5000, 1.0f));
  double expected = 1.0;
  for (int i = 0; i < 100; ++i) {
    const BufferPtr y = device->allocate(x->bytes(), MemoryKind::activations);
    launch_affine(x, y, 0.5f, static_cast<float>(i));
    expected = 0.5 * expected + i;
    x = y;
  }
  for (const float value : values_of<float>(*device, *x)) ASSERT_FLOAT_EQ(value, static_cast<float>(expected));
}

TEST_F(VulkanTest, AReadbackKeepsWhatWasThereWhenItWasAskedFor) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  launch_affine(x, x, 2.0f, 5.0f);
  float first = 0.0f;
  std::memcpy(&first, readback->get().data(), sizeof(first));
  EXPECT_EQ(first, 1.0f);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 7.0f);
}

TEST_F(VulkanTest, AReadbackArrivesWithoutAnybodyWaiting) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>{3.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  const auto start = std::chrono::steady_clock::now();
  while (!readback->ready() && std::chrono::steady_clock::now() - start < std::chrono::seconds(60)) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(readback->ready());
  EXPECT_EQ(device->counters().waits, 0u);
}

TEST_F(VulkanTest, ReadbacksAndBuffersMayGoAfterTheDevice) {
  auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100, 2.0f));
  const auto readback = device->read_later(*x, 0, sizeof(float));
  device.reset();
  EXPECT_TRUE(readback->ready());
  float first = 0.0f;
  std::memcpy(&first, readback->get().data(), sizeof(first));
  EXPECT_EQ(first, 2.0f);
}

TEST_F(VulkanTest, ADeviceMayGoWhileItWorks) {
  for (int repetition = 0; repetition < 5; ++repetition) {
    const auto device = open_vulkan();
    const BufferPtr x = buffer_of(*device, std::vector<float>(1 << 20, 2.0f));
    for (int i = 0; i < 100; ++i) launch_affine(x, x, 1.0f, 1.0f);  // more than a batch
  }
}

TEST_F(VulkanTest, ManyCallsSideBySideAreLegal) {
  const auto device = open_vulkan();
  constexpr std::size_t kCalls = 2000;
  const BufferPtr x = buffer_of(*device, std::vector<float>(kCalls * 64, 1.0f));
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  for (std::size_t i = 0; i < kCalls; ++i) {
    const BufferRange part{x.get(), i * 256, 256};
    const UnaryParams params{64, 1.0f, static_cast<float>(i)};
    device->launch(KernelCall(KernelId::unary, spec, params).with(part).with(part));
  }
  const std::vector<float> values = values_of<float>(*device, *x);
  for (std::size_t i = 0; i < kCalls; ++i) ASSERT_EQ(values[i * 64 + i % 64], 1.0f + static_cast<float>(i));
}

TEST_F(VulkanTest, ReusesMemory) {
  const auto device = open_vulkan();
  const auto step = [&] {
    const BufferPtr a = device->allocate(1000, MemoryKind::activations);
    const BufferPtr b = device->allocate(50 * kMebibyte, MemoryKind::gradients);
    const BufferPtr c = device->allocate(50 * kMebibyte, MemoryKind::gradients);
  };
  step();
  device->reset_counters();
  for (int i = 0; i < 3; ++i) step();
  EXPECT_EQ(device->counters().allocations, 0u);
}

TEST_F(VulkanTest, AnEmptyBufferIsLegal) {
  const auto device = open_vulkan();
  const BufferPtr buffer = device->allocate(0, MemoryKind::activations);
  EXPECT_EQ(buffer->bytes(), 0u);
  device->download(*buffer, 0, {});
}

TEST_F(VulkanTest, ProfilingMeasuresEachKernelAndChangesNoResult) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100000, 1.0f));
  device->set_profiling(true);
  launch_affine(x, x, 3.0f, 1.0f);
  const double seconds = device->counters().seconds[static_cast<std::size_t>(KernelId::unary)];
  EXPECT_GT(seconds, 0.0);
  EXPECT_LT(seconds, 10.0);
  const auto& paths = device->counters().paths[static_cast<std::size_t>(KernelId::unary)];
  EXPECT_EQ(paths, (std::map<std::string, std::uint64_t>{{"unary", 1}}));
  EXPECT_EQ(values_of<float>(*device, *x)[99999], 4.0f);
}

TEST_F(VulkanTest, CallsWithoutElementsAreLegal) {
  const auto device = open_vulkan();
  const BufferPtr x = device->allocate(0, MemoryKind::activations);
  launch_affine(x, x, 1.0f, 1.0f);
  device->wait();
}

}  // namespace
}  // namespace amphora::vulkan
