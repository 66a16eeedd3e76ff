// Who waits for whom: barriers stand where memory tells, and nowhere else.
#include <utility>

#include "backends/vulkan/executable.h"
#include "calls.h"

namespace amphora::vulkan {
namespace {

// Notes barriers and copies that are recorded while it lives; the validation layer does not see what shaders access.
class Barriers {
 public:
  Barriers() {
    seen.clear();
    barrier = std::exchange(vkCmdPipelineBarrier2, note_barrier);
    copy = std::exchange(vkCmdCopyBuffer, note_copy);
  }
  Barriers(const Barriers&) = delete;
  Barriers& operator=(const Barriers&) = delete;
  ~Barriers() {
    vkCmdPipelineBarrier2 = barrier;
    vkCmdCopyBuffer = copy;
  }

  // Whether the last copy went where the last barrier is, and not before it.
  static bool copy_follows_barrier() { return last_copy == last_barrier; }
  // Since the last call; those that only make copies visible to the host don't count.
  std::vector<VkPipelineStageFlags2> take() { return std::exchange(seen, {}); }

 private:
  static void VKAPI_CALL note_barrier(VkCommandBuffer commands, const VkDependencyInfo* dependency) {
    const VkPipelineStageFlags2 after = dependency->pMemoryBarriers[0].dstStageMask;
    if (after != VK_PIPELINE_STAGE_2_HOST_BIT) {
      seen.push_back(after);
      last_barrier = commands;
    }
    barrier(commands, dependency);
  }
  static void VKAPI_CALL note_copy(VkCommandBuffer commands, VkBuffer source, VkBuffer target, std::uint32_t count,
                                   const VkBufferCopy* regions) {
    last_copy = commands;
    copy(commands, source, target, count, regions);
  }

  inline static PFN_vkCmdPipelineBarrier2 barrier = nullptr;
  inline static PFN_vkCmdCopyBuffer copy = nullptr;
  inline static std::vector<VkPipelineStageFlags2> seen;
  inline static VkCommandBuffer last_barrier = VK_NULL_HANDLE;
  inline static VkCommandBuffer last_copy = VK_NULL_HANDLE;
};

constexpr VkPipelineStageFlags2 kCalls = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags2 kCallsAndCopies = kCalls | VK_PIPELINE_STAGE_2_COPY_BIT;
using Stages = std::vector<VkPipelineStageFlags2>;

TEST_F(VulkanTest, CallsOfAnExecutableWaitOnlyForWhatTheyHaveAHazardWith) {
  const auto device = open_vulkan();
  std::vector<BufferPtr> x;
  for (int i = 0; i < 5; ++i) x.push_back(device->allocate(1000, MemoryKind::activations));
  Barriers barriers;
  // Whatever comes next waits for all that ran before.
  device->compile({affine(x[0], x[1], 1.0f, 0.0f), affine(x[0], x[2], 1.0f, 0.0f), affine(x[3], x[4], 1.0f, 0.0f)});
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies}));
  device->compile({affine(x[0], x[1], 1.0f, 0.0f), affine(x[1], x[2], 1.0f, 0.0f)});
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies, kCalls})) << "read after write";
  device->compile({affine(x[0], x[1], 1.0f, 0.0f), affine(x[2], x[0], 1.0f, 0.0f)});
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies, kCalls})) << "write after read";
  device->compile({affine(x[0], x[1], 1.0f, 0.0f), affine(x[2], x[1], 1.0f, 0.0f)});
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies, kCalls})) << "write after write";
}

TEST_F(VulkanTest, CallsThatShareScratchMemoryWaitForEachOther) {
  const auto device = open_vulkan();
  const BufferPtr x = device->allocate(kManyFloats * sizeof(float), MemoryKind::activations);
  const BufferPtr y = device->allocate(sizeof(float), MemoryKind::activations);
  const BufferPtr z = device->allocate(sizeof(float), MemoryKind::activations);
  Barriers barriers;
  device->compile({sum(all_of(x), all_of(y)), sum(all_of(x), all_of(z))});
  // Before each of the four dispatches.
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies, kCalls, kCalls, kCalls}));
}

TEST_F(VulkanTest, CopiesWaitForAnExecutableOnlyWhereItTouchesTheirMemory) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(100, 1.0f));
  const BufferPtr y = buffer_of(*device, std::vector<float>(100, 1.0f));
  const BufferPtr other = buffer_of(*device, std::vector<float>(100, 1.0f));
  const auto executable = device->compile({affine(x, y, 1.0f, 0.0f)});
  const float value = 7.0f;
  const auto bytes = std::as_bytes(std::span(&value, 1));
  device->wait();
  Barriers barriers;
  device->submit(*executable);
  device->upload(*other, 8, bytes);
  EXPECT_EQ(barriers.take(), Stages()) << "memory that it does not touch";
  device->upload(*other, 8, bytes);
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies})) << "an earlier copy to the same place";
  device->submit(*executable);
  device->upload(*x, 0, bytes);
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies})) << "what it reads";
  device->submit(*executable);
  const auto readback = device->read_later(*y, 0, sizeof(float));
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies})) << "what it writes";
  EXPECT_TRUE(Barriers::copy_follows_barrier());
  device->upload(*other, 8, bytes);
  EXPECT_EQ(barriers.take(), Stages());
  EXPECT_FALSE(Barriers::copy_follows_barrier()) << "an upload need not wait for what the readback waits for";
  const float later = 9.0f;
  device->upload(*y, 0, std::as_bytes(std::span(&later, 1)));
  EXPECT_EQ(barriers.take(), Stages({kCallsAndCopies})) << "what the readback reads";
  EXPECT_TRUE(Barriers::copy_follows_barrier());
  float read = 0.0f;
  std::memcpy(&read, readback->get().data(), sizeof(read));
  EXPECT_EQ(read, value);
}

TEST_F(VulkanTest, WhatAnExecutableTouchesIsFewRanges) {
  const auto device = open_vulkan();
  std::vector<BufferPtr> buffers;
  for (int i = 0; i < 20; ++i) buffers.push_back(device->allocate(1000, MemoryKind::activations));
  const BufferPtr input = device->allocate(1000, MemoryKind::inputs);
  std::vector<KernelCall> calls;
  for (const BufferPtr& buffer : buffers) calls.push_back(affine(input, buffer, 1.0f, 0.0f));
  const auto executable = device->compile(calls);
  EXPECT_EQ(static_cast<const VulkanExecutable&>(*executable).accesses().size(), 2u);
}

}  // namespace
}  // namespace amphora::vulkan
