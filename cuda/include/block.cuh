// Reductions over the threads of a block, in an order that never changes: bits repeat.
#pragma once

#include <cuda_runtime.h>

namespace amphora::cuda {

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kEveryLane = 0xFFFFFFFFu;

// The values of a warp's lanes joined; every lane has the result. `join` must be commutative.
template <class Join>
__device__ float joined_in_warp(float value, Join join) {
#pragma unroll
  for (unsigned reach = kWarp / 2; reach > 0; reach /= 2)
    value = join(value, __shfl_xor_sync(kEveryLane, value, reach));
  return value;
}

// The values of a block's threads joined; every thread has the result. `shared` has an element for each warp. Threads
// may call this again at once.
template <class Join>
__device__ float joined_in_block(float value, float neutral, float* shared, Join join) {
  value = joined_in_warp(value, join);
  if (blockDim.x <= kWarp) return value;
  const unsigned lane = threadIdx.x % kWarp;
  if (lane == 0) shared[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = joined_in_warp(lane < blockDim.x / kWarp ? shared[lane] : neutral, join);
  __syncthreads();
  return value;
}

struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
// NaN is left out, as fmaxf has it.
struct Largest {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

}  // namespace amphora::cuda
