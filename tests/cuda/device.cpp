// What the contract leaves open: types, and how work is cut into blocks.
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaTest, HasNoF64) {
  EXPECT_FALSE(open_cuda()->supports(KernelId::cast, {.types = {DType::f64, DType::f64}}).supported);
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
