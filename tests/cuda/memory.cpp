// The pool on reserved addresses: nothing that is in use moves, what is unused is joined and moved.
#include <cstring>

#include "backends/cuda/block_pool.h"
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

struct Fixture {
  explicit Fixture(const std::string& what)
      : machine(what), pool(std::make_shared<BlockPool>(make_memory(inspect(0)))) {}

  Machine machine;
  std::shared_ptr<BlockPool> pool;
};

bool overlap(const std::vector<std::pair<char*, std::size_t>>& blocks) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t j = i + 1; j < blocks.size(); ++j) {
      if (blocks[i].first < blocks[j].first + blocks[j].second &&
          blocks[j].first < blocks[i].first + blocks[i].second) {
        return true;
      }
    }
  }
  return false;
}

class CudaMemory : public CudaTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Either, CudaMemory, ::testing::Values("memory=512M", "memory=512M vmm=0"),
                         [](const auto& either) { return either.index == 0 ? "reserved" : "plain"; });

TEST_P(CudaMemory, BlocksAreAlignedAndApart) {
  Fixture f(GetParam());
  testing::Random random;
  std::vector<std::unique_ptr<Block>> blocks;
  std::vector<std::pair<char*, std::size_t>> ranges;
  for (int i = 0; i < 200; ++i) {
    const auto bytes = std::size_t{random.bits() % 500'000};
    blocks.push_back(f.pool->take(bytes));
    ASSERT_NE(blocks.back(), nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back()->data()) % 256, 0u);
    ranges.emplace_back(static_cast<char*>(blocks.back()->data()), bytes);
  }
  EXPECT_FALSE(overlap(ranges));
}

TEST_P(CudaMemory, WhatIsGivenBackIsJoinedAndReused) {
  Fixture f(GetParam());
  std::vector<std::unique_ptr<Block>> blocks;
  for (int i = 0; i < 32; ++i) blocks.push_back(f.pool->take(kMebibyte));
  const std::size_t held = f.pool->memory().held();
  for (const int i : {1, 0, 2, 30, 31, 29}) blocks[static_cast<std::size_t>(i)].reset();
  blocks.clear();
  const auto whole = f.pool->take(32 * kMebibyte);
  EXPECT_NE(whole, nullptr);
  EXPECT_EQ(f.pool->memory().held(), held);
}

TEST_P(CudaMemory, NoRoomIsNull) {
  Fixture f(GetParam());
  EXPECT_EQ(f.pool->take(std::size_t{1} << 40), nullptr);
  EXPECT_EQ(f.pool->take(513 * kMebibyte), nullptr);
  EXPECT_NE(f.pool->take(100 * kMebibyte), nullptr);
}

// Every second block of a full device is free; no hole is large enough until the holes are moved together.
TEST_F(CudaTest, HolesAreMovedTogetherAndBlocksInUseStay) {
  Fixture f("memory=512M");
  std::vector<std::unique_ptr<Block>> blocks;
  while (auto block = f.pool->take(32 * kMebibyte)) blocks.push_back(std::move(block));
  ASSERT_EQ(blocks.size(), 16u);
  std::vector<void*> places;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    places.push_back(blocks[i]->data());
    std::memset(blocks[i]->data(), static_cast<int>(i), 32 * kMebibyte);  // the emulator's memory is the host's
  }
  for (std::size_t i = 0; i < blocks.size(); i += 2) blocks[i].reset();
  ASSERT_EQ(f.pool->take(128 * kMebibyte), nullptr);
  f.pool->compact();
  const auto large = f.pool->take(128 * kMebibyte);
  ASSERT_NE(large, nullptr);
  std::memset(large->data(), 255, 128 * kMebibyte);
  for (std::size_t i = 1; i < blocks.size(); i += 2) {
    EXPECT_EQ(blocks[i]->data(), places[i]);
    EXPECT_EQ(static_cast<const unsigned char*>(places[i])[12345], i);
  }
  EXPECT_EQ(f.pool->memory().held(), 512 * kMebibyte);
}

TEST_F(CudaTest, ADeviceMovesHolesTogetherBeforeItGivesUp) {
  const Machine machine("memory=512M");
  const auto device = open_cuda();
  std::vector<BufferPtr> buffers;
  for (int i = 0; i < 12; ++i) buffers.push_back(device->allocate(32 * kMebibyte, MemoryKind::activations));
  for (std::size_t i = 0; i < buffers.size(); i += 2) buffers[i].reset();
  EXPECT_NO_THROW(device->allocate(250 * kMebibyte, MemoryKind::activations));
}

TEST_F(CudaTest, IntermediateResultsFindRoomAsBuffersDo) {
  Fixture f("memory=512M");
  const Capabilities capabilities = inspect(0);
  Stream stream(capabilities, *f.pool);
  std::vector<std::unique_ptr<Block>> blocks;
  while (auto block = f.pool->take(32 * kMebibyte)) blocks.push_back(std::move(block));
  for (std::size_t i = 0; i < blocks.size(); i += 2) blocks[i].reset();
  EXPECT_EQ(f.pool->in_use(), 256 * kMebibyte);
  EXPECT_NE(stream.scratch(128 * kMebibyte), nullptr);
  const std::string message = message_of([&] { stream.scratch(512 * kMebibyte); });
  for (const char* part :
       {"512.0 MiB asked for a kernel's intermediate results", "384.0 MiB in use", "free on the device"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
  }
}

}  // namespace
}  // namespace amphora::cuda
