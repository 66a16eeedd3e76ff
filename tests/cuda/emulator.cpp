// The emulator of CUDA itself: what it runs, and that it shows what a GPU would.
#include <algorithm>
#include <numeric>

#include "backends/cuda/driver.h"
#include "cuda_emulator/machine.h"
#include "cuda_test.h"

namespace amphora::cuda {
namespace {

constexpr unsigned kFull = ~0u;

struct Output {
  int* out;
  unsigned count;
};

template <class Arguments>
cudaError_t launch(void (*kernel)(Arguments), unsigned blocks, unsigned threads, const Arguments& arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = threads;
  return cudaLaunchKernelEx(&config, kernel, arguments);
}

// --- threads ---

__global__ void reverse(Output n) {
  __shared__ int shared[256];
  const unsigned i = threadIdx.x;
  for (unsigned round = 0; round < n.count; ++round) {
    shared[i] = static_cast<int>(blockIdx.x * blockDim.x + i);
    __syncthreads();
    n.out[blockIdx.x * blockDim.x + i] = shared[blockDim.x - 1 - i];
    __syncthreads();
  }
}

TEST(CudaEmulator, BarriersHoldTheBlock) {
  std::vector<int> out(3 * 192);
  for (int turn = 0; turn < 2; ++turn) {  // threads in either order
    std::fill(out.begin(), out.end(), -1);
    ASSERT_EQ(launch(reverse, 3, 192, {out.data(), 3}), cudaSuccess);
    for (int i = 0; i < 3 * 192; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], i / 192 * 192 + 191 - i % 192);
  }
}

// One thread of two waits for nothing, and reads what the other has yet to write or has written.
__global__ void swap_without_barrier(Output n) {
  __shared__ int shared[64];
  shared[threadIdx.x] = -1;
  __syncthreads();
  shared[threadIdx.x] = static_cast<int>(threadIdx.x);
  n.out[blockIdx.x * blockDim.x + threadIdx.x] = shared[threadIdx.x ^ 1];
}

std::vector<int> swapped_without_barrier(unsigned blocks) {
  std::vector<int> out(std::size_t{64} * blocks);
  launch(swap_without_barrier, blocks, 64, {out.data(), 0});
  return out;
}

TEST(CudaEmulator, AMissingBarrierShowsFromLaunchToLaunch) {
  EXPECT_NE(swapped_without_barrier(1), swapped_without_barrier(1));
  EXPECT_NE(swapped_without_barrier(2), swapped_without_barrier(2));
}

TEST(CudaEmulator, AMissingBarrierShowsFromBlockToBlock) {
  const std::vector<int> out = swapped_without_barrier(2);
  EXPECT_FALSE(std::equal(out.begin(), out.begin() + 64, out.begin() + 64));
}

TEST(CudaEmulator, AMissingBarrierShowsBetweenLaunchesOfOtherKernels) {
  int out[32] = {};
  const std::vector<int> first = swapped_without_barrier(1);
  launch(reverse, 1, 32, {out, 1});
  EXPECT_NE(first, swapped_without_barrier(1));
}

__global__ void use_warp(Output n) {
  const int i = static_cast<int>(threadIdx.x);
  int* out = n.out + threadIdx.x * n.count;
  int sum = i;
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(kFull, sum, step);
  out[0] = sum;
  out[1] = __shfl_down_sync(kFull, i, 5);
  out[2] = __shfl_up_sync(kFull, i, 5);
  out[3] = __shfl_sync(kFull, i, 7);
  out[4] = __shfl_sync(kFull, i, 9, 8);
  out[5] = static_cast<int>(__ballot_sync(kFull, i % 3 == 0));
  out[6] = __any_sync(kFull, i == 40);
  out[7] = __all_sync(kFull, i < 40);
  out[8] = static_cast<int>(__shfl_xor_sync(kFull, 0x1p40 + i, 1) - 0x1p40);
  out[9] = __syncthreads_or(i == 40);
}

TEST(CudaEmulator, WarpsExchangeValues) {
  constexpr unsigned kResults = 10;
  std::vector<int> out(64 * kResults);
  for (int turn = 0; turn < 2; ++turn) {
    ASSERT_EQ(launch(use_warp, 1, 64, {out.data(), kResults}), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    for (int i = 0; i < 64; ++i) {
      const int warp = i / 32 * 32;
      int thirds = 0;
      for (int lane = 0; lane < 32; ++lane) thirds |= (warp + lane) % 3 == 0 ? 1 << lane : 0;
      const std::vector<int> expected{warp * 32 + 31 * 16,
                                      i % 32 + 5 < 32 ? i + 5 : i,
                                      i % 32 < 5 ? i : i - 5,
                                      warp + 7,
                                      i / 8 * 8 + 1,
                                      thirds,
                                      warp == 32 ? 1 : 0,
                                      warp == 0 ? 1 : 0,
                                      i ^ 1,
                                      1};
      const auto begin = out.begin() + i * static_cast<int>(kResults);
      ASSERT_EQ(std::vector<int>(begin, begin + kResults), expected) << i;
    }
  }
}

// Barriers of the block and functions of a warp, each warp in its own time.
__global__ void sum_per_warp(Output n) {
  int sum = 1;
  if (threadIdx.x >= 32) {
    for (int step = 1; step < 32; step *= 2) sum += __shfl_xor_sync(kFull, sum, step);
  }
  const int full = __syncthreads_or(sum == 32);
  if (threadIdx.x < 32) sum += __shfl_xor_sync(kFull, sum, 1);
  const int fuller = __syncthreads_or(sum > 32);  // forgets what the one before gave
  n.out[threadIdx.x] = 100 * full + 1000 * fuller + sum;
}

TEST(CudaEmulator, WarpsGoDifferentWaysBetweenBarriers) {
  std::vector<int> out(64);
  for (int turn = 0; turn < 2; ++turn) {
    ASSERT_EQ(launch(sum_per_warp, 1, 64, {out.data(), 0}), cudaSuccess);
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    for (int i = 0; i < 64; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], i < 32 ? 102 : 132) << i;
  }
}

__global__ void note_place(Output n) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const bool is_inside = threadIdx.x < blockDim.x && threadIdx.y < blockDim.y && threadIdx.z < blockDim.z;
  if (is_inside) n.out[block * n.count + thread] += 1;
}

TEST(CudaEmulator, EachThreadOfEachBlockRunsOnce) {
  std::vector<int> out(std::size_t{24} * 30);
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(2, 3, 4);
  config.blockDim = dim3(5, 3, 2);
  ASSERT_EQ(cudaLaunchKernelEx(&config, note_place, Output{out.data(), 30}), cudaSuccess);
  EXPECT_EQ(out, std::vector<int>(out.size(), 1));
}

__global__ void leave_early(Output n) {
  if (threadIdx.x < n.count) __syncthreads();
}
__global__ void split_warp(Output n) {
  if (threadIdx.x < n.count) __syncwarp();
}
__global__ void split_mask(Output n) { n.out[threadIdx.x] = __shfl_xor_sync(0xFFFF, 1, 1); }
__global__ void mix_functions(Output n) {
  if (threadIdx.x < n.count) {
    __syncwarp();
  } else {
    __any_sync(kFull, 1);
  }
}

// A process of its own, because its context is lost.
[[noreturn]] void exit_after(void (*kernel)(Output), unsigned threads = 32) {
  int out[32] = {};
  const bool launched = launch(kernel, 1, threads, {out, 20}) == cudaSuccess;
  const bool seen = cudaDeviceSynchronize() == cudaErrorLaunchFailure;
  const bool stays = launch(reverse, 1, 32, {out, 1}) == cudaErrorLaunchFailure;
  std::exit(launched && seen && stays ? 0 : 1);
}

TEST(CudaEmulatorDeathTest, ThreadsThatWaitForEverAreReported) {
  const auto success = ::testing::ExitedWithCode(0);
  EXPECT_EXIT(exit_after(leave_early), success, "__syncthreads.. was reached by a part of the block");
  EXPECT_EXIT(exit_after(split_warp), success, "reached by a part of a warp");
  EXPECT_EXIT(exit_after(split_mask), success, "a mask that is not full");
  EXPECT_EXIT(exit_after(mix_functions), success, "lanes of a warp are in different functions");
  EXPECT_EXIT(exit_after(split_warp, 20), success, "a warp of less than 32 threads");
}

__global__ void count(Output n) { n.out[threadIdx.x] += 1; }

[[noreturn]] void exit_after_fault() {
  const Machine machine("fault=2");
  int out[1] = {};
  bool right = true;
  for (int i = 0; i < 3; ++i) right = launch(count, 1, 1, {out, 0}) == cudaSuccess && right;
  right = out[0] == 1 && right;  // neither the one that faults nor those behind it
  right = cudaDeviceSynchronize() == cudaErrorIllegalAddress && right;
  right = launch(count, 1, 1, {out, 0}) == cudaErrorIllegalAddress && out[0] == 1 && right;
  std::exit(right ? 0 : 1);
}

TEST(CudaEmulatorDeathTest, AFaultDropsWhatIsQueuedAndIsSeenByWhoWaits) {
  EXPECT_EXIT(exit_after_fault(), ::testing::ExitedWithCode(0), "");
}

TEST(CudaEmulator, LaunchesThatNoDeviceTakesAreRefused) {
  int out[1] = {};
  EXPECT_EQ(launch(reverse, 1, 1025, {out, 0}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(reverse, 0, 32, {out, 0}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidConfiguration);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST(CudaEmulator, ConversionsAreTheDevices) {
  EXPECT_EQ(__float2int_rz(3e9f), std::numeric_limits<int>::max());
  EXPECT_EQ(__float2int_rz(-3e9f), std::numeric_limits<int>::min());
  EXPECT_EQ(__float2int_rz(-2.9f), -2);
  volatile float nan = std::nanf("");  // not what the compiler makes of it
  EXPECT_EQ(__float2int_rz(nan), 0);
  EXPECT_EQ(__int2float_rz(0x7FFFFFFF), 0x7FFFFF80);
  EXPECT_EQ(__int2float_rz(-0x1000003), -0x1000002);
}

// --- memory ---

class CudaEmulatorMemory : public CudaTest {
 protected:
  static constexpr std::size_t kBytes = 4 * kMebibyte;

  void SetUp() override {
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    ASSERT_EQ(driver.reserve(&begin, 4 * kBytes, 0, 0, 0), CUDA_SUCCESS);
    ASSERT_EQ(driver.create(&handle, kBytes, &properties, 0), CUDA_SUCCESS);
  }
  void TearDown() override {
    driver.release(handle);
    driver.free(begin, 4 * kBytes);
  }

  int* map(CUdeviceptr at) {
    const CUmemAccessDesc access{properties.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    EXPECT_EQ(driver.map(at, kBytes, 0, handle, 0), CUDA_SUCCESS);
    EXPECT_EQ(driver.set_access(at, kBytes, &access, 1), CUDA_SUCCESS);
    return reinterpret_cast<int*>(at);
  }

  Driver driver;
  CUmemAllocationProp properties{};
  CUdeviceptr begin = 0;
  CUmemGenericAllocationHandle handle = 0;
};

TEST_F(CudaEmulatorMemory, MovesWithItsContents) {
  const CUdeviceptr there = begin + 2 * kBytes;
  int* first = map(begin);
  first[1000] = 42;
  EXPECT_NE(driver.map(begin, kBytes, 0, handle, 0), CUDA_SUCCESS);  // taken
  ASSERT_EQ(driver.unmap(begin, kBytes), CUDA_SUCCESS);
  EXPECT_EQ(map(there)[1000], 42);
  EXPECT_EQ(driver.unmap(there, kBytes), CUDA_SUCCESS);
  EXPECT_NE(driver.unmap(there, kBytes), CUDA_SUCCESS);
  EXPECT_NE(driver.map(begin + 1, kBytes, 0, handle, 0), CUDA_SUCCESS);
  EXPECT_NE(driver.map(begin + 4 * kBytes, kBytes, 0, handle, 0), CUDA_SUCCESS);
}

TEST_F(CudaEmulatorMemory, AddressesWithoutMemoryFault) {
  volatile int* first = map(begin);
  *first = 1;
  driver.unmap(begin, kBytes);
  EXPECT_DEATH(*first = 2, "");
}

TEST_F(CudaEmulatorMemory, AllKindsCount) {
  const Machine machine("memory=64M used=16M");
  std::size_t free = 0;
  std::size_t total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(total, 64 * kMebibyte);
  EXPECT_EQ(free, 44 * kMebibyte);
  void* piece = nullptr;
  ASSERT_EQ(cudaMalloc(&piece, 40 * kMebibyte), cudaSuccess);
  CUmemGenericAllocationHandle more = 0;
  EXPECT_EQ(driver.create(&more, 6 * kMebibyte, &properties, 0), CUDA_ERROR_OUT_OF_MEMORY);
  void* other = nullptr;
  EXPECT_EQ(cudaMalloc(&other, 5 * kMebibyte), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaFree(piece), cudaSuccess);
  EXPECT_EQ(driver.create(&more, 6 * kMebibyte, &properties, 0), CUDA_SUCCESS);
  EXPECT_EQ(driver.release(more), CUDA_SUCCESS);
}

TEST(CudaEmulatorDeathTest, AWordThatItDoesNotKnowEndsTheTest) {
  const Machine machine("memroy=64M");
  EXPECT_DEATH(emulator::machine(), "'memroy'");
}

// --- time ---

TEST(CudaEmulator, TimeIsTheSameInEveryRun) {
  std::vector<int> out(256);
  const auto time_of = [&](unsigned blocks) {
    const double before = emulator::device_time();
    launch(reverse, blocks, 32, {out.data(), 0});
    return emulator::device_time() - before;
  };
  EXPECT_EQ(time_of(2), time_of(2));
  EXPECT_GT(time_of(3), time_of(2));
}

}  // namespace
}  // namespace amphora::cuda
