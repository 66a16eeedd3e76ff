#include "backends/null/device.h"

#include <gtest/gtest.h>

#include "amphora/core/error.h"
#include "backends/null/backend.h"

namespace amphora {
namespace {

class NullDevice : public ::testing::Test {
 protected:
  // The message of the Error that launching throws; empty if it does not.
  std::string refusal(const KernelCall& call) {
    try {
      device_->launch(call);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  static KernelCall cast() { return {KernelId::cast, {}, CountParams{4}}; }

  std::shared_ptr<Device> device_ = null::open({});
  BufferPtr in_ = device_->allocate(16, MemoryKind::inputs);
  BufferPtr out_ = device_->allocate(16, MemoryKind::activations);
};

TEST_F(NullDevice, CountsLaunchesAndWaits) {
  const KernelCall call = cast().with({in_.get(), 0, 16}).with({out_.get(), 0, 16});
  device_->launch(call);
  device_->launch(call);
  device_->wait();
  EXPECT_EQ(device_->counters().launches[static_cast<int>(KernelId::cast)], 2u);
  EXPECT_EQ(device_->counters().waits, 1u);
  EXPECT_EQ(device_->counters().allocations, 0u);
}

TEST_F(NullDevice, AccountsForBuffersOfAnySizeAndAllocatesNone) {
  const BufferPtr huge = device_->allocate(std::size_t{1} << 50, MemoryKind::masters);
  EXPECT_EQ(device_->memory().current[static_cast<int>(MemoryKind::masters)], std::size_t{1} << 50);
}

TEST_F(NullDevice, ReadsGiveZeros) {
  const std::byte ones[4] = {std::byte{1}, std::byte{1}, std::byte{1}, std::byte{1}};
  device_->upload(*in_, 0, ones);
  const auto readback = device_->read_later(*in_, 0, 4);
  EXPECT_TRUE(readback->ready());
  for (const std::byte byte : readback->get()) EXPECT_EQ(byte, std::byte{0});
}

TEST_F(NullDevice, MarksWhatAKernelWrites) {
  const auto before = out_->version();
  device_->launch(cast().with({in_.get(), 0, 16}).with({out_.get(), 0, 16}));
  EXPECT_EQ(in_->version(), 0u);
  EXPECT_EQ(out_->version(), before + 1);
}

TEST_F(NullDevice, RefusesAWrongNumberOfBuffers) {
  EXPECT_EQ(refusal(cast().with({in_.get(), 0, 16})), "kernel cast takes 2 buffers (in, out), not 1");
}

TEST_F(NullDevice, RefusesAMissingBuffer) {
  EXPECT_EQ(refusal(cast().with({in_.get(), 0, 16}).with({})), "kernel cast: buffer 'out' is missing");
}

TEST_F(NullDevice, AllowsAnOptionalBufferToBeAbsent) {
  const BufferPtr group = device_->allocate(sizeof(GroupState), MemoryKind::optimizer_state);
  KernelCall call(KernelId::begin_step, {}, BeginStepParams{});
  EXPECT_EQ(refusal(call.with({group.get(), 0, sizeof(GroupState)}).with({}).with({})), "");
}

TEST_F(NullDevice, RefusesARangeOutsideItsBuffer) {
  EXPECT_EQ(refusal(cast().with({in_.get(), 4, 16}).with({out_.get(), 0, 16})),
            "kernel cast: 16 bytes at offset 4 leave buffer 'in' of 16 bytes");
  EXPECT_NE(refusal(cast().with({in_.get(), 8, SIZE_MAX - 4}).with({out_.get(), 0, 16})), "");
}

TEST_F(NullDevice, RefusesARangeThatIsShorterThanTheCount) {
  EXPECT_EQ(refusal(cast().with({in_.get(), 0, 16}).with({out_.get(), 0, 12})),
            "kernel cast: buffer 'out' has 12 bytes, but 16 are needed");
}

TEST_F(NullDevice, RefusesDeviceStateOfTheWrongSize) {
  KernelCall call(KernelId::scaler_update, {}, ScalerUpdateParams{});
  EXPECT_EQ(refusal(call.with({in_.get(), 0, 16})),
            "kernel scaler_update: buffer 'scaler' has 16 bytes, but 24 are needed");
}

TEST_F(NullDevice, RefusesBuffersOfTwoDevices) {
  const auto other = null::open({});
  const BufferPtr elsewhere = other->allocate(16, MemoryKind::inputs);
  EXPECT_EQ(refusal(cast().with({in_.get(), 0, 16}).with({elsewhere.get(), 0, 16})),
            "kernel cast: buffer 'out' lies on another device than those before it; copy it first");
}

TEST_F(NullDevice, RefusesAFunctionThatDoesNotExist) {
  KernelCall call(KernelId::unary, {.function = 200}, UnaryParams{});
  EXPECT_EQ(refusal(call.with({in_.get(), 0, 16}).with({out_.get(), 0, 16})), "kernel unary: there is no function 200");
}

}  // namespace
}  // namespace amphora
