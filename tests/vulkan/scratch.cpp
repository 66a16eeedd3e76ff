// Memory that executables need for partial results: whose it is, and when there is none.
#include "amphora/core/error.h"
#include "backends/vulkan/executable.h"
#include "calls.h"

namespace amphora::vulkan {
namespace {

using ::amphora::testing::message_of;

// A device with one buffer that fills all of its arena.
struct FullArena {
  explicit FullArena(std::uint64_t memory_bytes) {
    Candidate candidate = select({});
    candidate.capabilities.memory_bytes = memory_bytes;
    device = std::make_shared<VulkanDevice>(candidate);
    memory = device->allocate(std::size_t{100} << 20, MemoryKind::activations);
    x = {memory.get(), 0, kManyFloats * sizeof(float)};
    y = {memory.get(), x.bytes, sizeof(float)};
    device->launch(KernelCall(KernelId::fill, Spec{}, FillParams{kManyFloats + 1, 1.0f})
                       .with({memory.get(), 0, x.bytes + y.bytes}));
  }

  float result() const {
    float value = 0.0f;
    device->download(*memory, y.offset, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }

  std::shared_ptr<VulkanDevice> device;
  BufferPtr memory;
  BufferRange x;
  BufferRange y;
};

TEST_F(VulkanTest, TooLittleMemoryForAnExecutableIsRefusedAndTheDeviceGoesOn) {
  const FullArena full(std::uint64_t{128} << 20);
  const auto before = full.device->compile({affine(full.y, full.y, 2.0f, 0.0f)});
  full.device->submit(*before);
  const std::string message = message_of([&] {
    full.device->compile({affine(full.y, full.y, 1.0f, 7.0f), sum(full.x, full.y)});
  });
  EXPECT_NE(message.find("out of memory on vulkan"), std::string::npos) << message;
  EXPECT_THROW(full.device->compile({sum(full.x, full.y)}), OutOfMemory);
  full.device->submit(*before);
  const auto after = full.device->compile({affine(full.y, full.y, 1.0f, 1.0f)});
  full.device->submit(*after);
  EXPECT_EQ(full.result(), 5.0f);
}

TEST_F(VulkanTest, ScratchMemoryIsAllocatedWhenCompiledAndSharedByTheCalls) {
  const FullArena full(std::uint64_t{1} << 40);
  full.device->reset_counters();
  const auto executable = full.device->compile({sum(full.x, full.y), sum(full.x, full.y), sum(full.x, full.y)});
  EXPECT_EQ(full.device->counters().allocations, 1u);
  for (int i = 0; i < 10; ++i) full.device->submit(*executable);
  EXPECT_EQ(full.device->counters().allocations, 1u);
  // The full arena and the scratch.
  EXPECT_EQ(static_cast<const VulkanExecutable&>(*executable).accesses().size(), 3u);
  EXPECT_EQ(full.result(), static_cast<float>(kManyFloats));
}

}  // namespace
}  // namespace amphora::vulkan
