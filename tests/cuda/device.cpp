// What the contract leaves open: paths, types, and how work is cut into blocks.
#include <map>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

TEST_F(CudaTest, ProfilingNamesWhatRan) {
  const auto device = open_cuda();
  const BufferPtr x = buffer_of(*device, std::vector<float>(1000, 1.0f));
  device->set_profiling(true);
  launch_affine(x, x, 3.0f, 1.0f);
  const auto& paths = device->counters().paths[static_cast<std::size_t>(KernelId::unary)];
  EXPECT_EQ(paths, (std::map<std::string, std::uint64_t>{{"unary", 1}}));
}

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
