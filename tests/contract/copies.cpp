// Copies between host and device, and readbacks.
#include <chrono>
#include <cstring>
#include <numeric>
#include <thread>

#include "contract_test.h"

namespace amphora::testing {
namespace {

float first_of(Readback& readback) {
  float value = 0.0f;
  std::memcpy(&value, readback.get().data(), sizeof(value));
  return value;
}

TEST_P(Contract, CopiesAtAnyOffset) {
  const auto device = open();
  std::vector<std::uint8_t> values(1000);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  const BufferPtr buffer = device->allocate(2000, MemoryKind::inputs);
  device->upload(*buffer, 333, std::as_bytes(std::span(values)));
  std::vector<std::uint8_t> back(500);
  device->download(*buffer, 400, std::as_writable_bytes(std::span(back)));
  expect_values(back, std::vector<std::uint8_t>(values.begin() + 67, values.begin() + 567));
}

// More than a backend keeps of memory that both sides see, so that its parts are used again within one copy.
TEST_P(Contract, CopiesMoreThanAStagingAreaHolds) {
  const auto device = open();
  std::vector<std::uint32_t> values(20 * kMebibyte);
  std::iota(values.begin(), values.end(), 1u);
  expect_values(values_of<std::uint32_t>(*device, *buffer_of(*device, values)), values);
}

TEST_P(Contract, TheSourceOfAnUploadMayBeReusedAtOnce) {
  const auto device = open();
  std::vector<std::uint32_t> expected(64);
  std::iota(expected.begin(), expected.end(), 0u);
  const BufferPtr buffer = device->allocate(64 * sizeof(std::uint32_t), MemoryKind::inputs);
  std::uint32_t value = 0;
  for (std::uint32_t i = 0; i < 64; ++i) {
    value = i;
    device->upload(*buffer, i * sizeof(value), std::as_bytes(std::span(&value, 1)));
  }
  expect_values(values_of<std::uint32_t>(*device, *buffer), expected);
}

TEST_P(Contract, AReadbackKeepsWhatWasThereWhenItWasAskedFor) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  launch_affine(x, x, 2.0f, 5.0f);
  const float before = first_of(*readback);
  const float after = values_of<float>(*device, *x)[0];
  if (!computes()) return;
  EXPECT_EQ(before, 1.0f);
  EXPECT_EQ(after, 7.0f);
}

TEST_P(Contract, ARestartedReadbackGivesWhatTheMemoryHoldsByThen) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>{1.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  readback->get();
  launch_affine(x, x, 2.0f, 5.0f);
  readback->restart();
  const float value = first_of(*readback);
  if (computes()) {
    EXPECT_EQ(value, 7.0f);
  }
}

TEST_P(Contract, AReadbackArrivesWithoutAWait) {
  const auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>{3.0f});
  const auto readback = device->read_later(*x, 0, sizeof(float));
  const auto start = std::chrono::steady_clock::now();
  while (!readback->ready() && std::chrono::steady_clock::now() - start < std::chrono::seconds(60)) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(readback->ready());
  EXPECT_EQ(device->counters().waits, 0u);
}

TEST_P(Contract, ReadbacksAndBuffersMayGoAfterTheDevice) {
  auto device = open();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100, 2.0f));
  const auto readback = device->read_later(*x, 0, sizeof(float));
  device.reset();
  EXPECT_TRUE(readback->ready());
  const float value = first_of(*readback);
  if (computes()) {
    EXPECT_EQ(value, 2.0f);
  }
}

}  // namespace
}  // namespace amphora::testing
