// Order of calls, copies, and what goes when.
#include <cstring>
#include <numeric>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaTest, CopiesAtAnyOffset) {
  const auto device = open_cuda();
  std::vector<std::uint8_t> values(1000);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  const BufferPtr buffer = device->allocate(2000, MemoryKind::inputs);
  device->upload(*buffer, 333, std::as_bytes(std::span(values)));
  std::vector<std::uint8_t> back(500);
  device->download(*buffer, 400, std::as_writable_bytes(std::span(back)));
  for (std::size_t i = 0; i < back.size(); ++i) ASSERT_EQ(back[i], values[i + 67]) << i;
}

TEST_F(CudaTest, CopiesMoreThanAllStagingPagesHold) {
  const auto device = open_cuda();
  std::vector<std::uint32_t> values(20 * kMebibyte);
  std::iota(values.begin(), values.end(), 1u);
  EXPECT_EQ(values_of<std::uint32_t>(*device, *buffer_of(*device, values)), values);
}

TEST_F(CudaTest, TheSourceOfAnUploadMayBeReusedAtOnce) {
  const auto device = open_cuda();
  const BufferPtr buffer = device->allocate(64 * sizeof(std::uint32_t), MemoryKind::inputs);
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    value = i;
    device->upload(*buffer, i * sizeof(value), std::as_bytes(std::span(&value, 1)));
  }
  const auto values = values_of<std::uint32_t>(*device, *buffer);
  for (std::uint32_t i = 0; i < 64; ++i) EXPECT_EQ(values[i], i);
}

TEST_F(CudaTest, CallsRunInOrder) {
  const auto device = open_cuda();
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

TEST_F(CudaTest, AReadbackKeepsWhatWasThereWhenItWasAskedFor) {
  const auto device = open_cuda();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  launch_affine(x, x, 2.0f, 5.0f);
  float first = 0.0f;
  std::memcpy(&first, readback->get().data(), sizeof(first));
  EXPECT_EQ(first, 1.0f);
  EXPECT_EQ(values_of<float>(*device, *x)[0], 7.0f);
}

TEST_F(CudaTest, ReadbacksAndBuffersMayGoAfterTheDevice) {
  auto device = open_cuda();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100, 2.0f));
  const auto readback = device->read_later(*x, 0, sizeof(float));
  device.reset();
  EXPECT_TRUE(readback->ready());
  float first = 0.0f;
  std::memcpy(&first, readback->get().data(), sizeof(first));
  EXPECT_EQ(first, 2.0f);
}

TEST_F(CudaTest, AnEmptyBufferAndACallWithoutElementsAreLegal) {
  const auto device = open_cuda();
  const BufferPtr buffer = device->allocate(0, MemoryKind::activations);
  EXPECT_EQ(buffer->bytes(), 0u);
  device->download(*buffer, 0, {});
  launch_affine(buffer, buffer, 1.0f, 1.0f);
  device->wait();
}

TEST_F(CudaTest, ProfilingMeasuresEachKernelAndChangesNoResult) {
  const auto device = open_cuda();
  const BufferPtr x = buffer_of(*device, std::vector<float>(1000, 1.0f));
  device->set_profiling(true);
  launch_affine(x, x, 3.0f, 1.0f);
  EXPECT_GT(device->counters().seconds[static_cast<std::size_t>(KernelId::unary)], 0.0);
  const auto& paths = device->counters().paths[static_cast<std::size_t>(KernelId::unary)];
  EXPECT_EQ(paths, (std::map<std::string, std::uint64_t>{{"unary", 1}}));
  EXPECT_EQ(values_of<float>(*device, *x)[999], 4.0f);
}

TEST_F(CudaTest, TypesThatItLacksAreRefusedByName) {
  const auto device = open_cuda();
  const BufferPtr x = device->allocate(80, MemoryKind::activations);
  const Spec spec{.types = {DType::f64, DType::f64}};
  const Support support = device->supports(KernelId::cast, spec);
  EXPECT_FALSE(support.supported);
  EXPECT_EQ(support.path, "cast is asked for f64 as in, which this backend does not have");
  const std::string message = message_of(
      [&] { device->launch(KernelCall(KernelId::cast, spec, CountParams{10}).with(all_of(x)).with(all_of(x))); });
  EXPECT_NE(message.find("cuda cannot run cast"), std::string::npos) << message;
}

TEST_F(CudaTest, TwoDevicesWorkSideBySide) {
  const auto one = open_cuda();
  const auto other = open_cuda();
  const BufferPtr x = buffer_of(*one, std::vector<float>{1.0f});
  const BufferPtr y = buffer_of(*other, std::vector<float>{2.0f});
  launch_affine(x, x, 2.0f, 0.0f);
  launch_affine(y, y, 2.0f, 0.0f);
  EXPECT_EQ(values_of<float>(*one, *x)[0], 2.0f);
  EXPECT_EQ(values_of<float>(*other, *y)[0], 4.0f);
}

// 256 threads of 8 elements fill the device, or less where there is less to do.
TEST_F(CudaTest, AGridHasAsManyBlocksAsTheDeviceHoldsAtMost) {
  const Capabilities capabilities = inspect(0);
  const auto pool = std::make_shared<BlockPool>(make_memory(capabilities));
  const Stream stream(capabilities, *pool);
  const auto most = static_cast<unsigned>(capabilities.multiprocessors * capabilities.max_threads) / kThreads;
  EXPECT_EQ(stream.blocks_for(0, 8), 0u);
  EXPECT_EQ(stream.blocks_for(1, 8), 1u);
  EXPECT_EQ(stream.blocks_for(2048, 8), 1u);
  EXPECT_EQ(stream.blocks_for(2049, 8), 2u);
  EXPECT_EQ(stream.blocks_for(std::uint64_t{1} << 40, 8), most);
}

}  // namespace
}  // namespace amphora::cuda
