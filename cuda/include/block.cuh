// Joining what neighbouring lanes hold, in an order that their number alone fixes.
//
// Every lane gets the result, and all the same bits, as long as `join` does not mind which operand comes first.
#pragma once

#include <cstdint>

#include <cuda_runtime.h>

namespace amphora::cuda {

// Threads of every kernel here that joins lanes.
inline constexpr unsigned kBlock = 256;
inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kAllLanes = 0xFFFFFFFFu;

// What the lane at this distance holds. Structures that are joined bring their own.
__device__ inline float shuffled(float value, int distance) { return __shfl_xor_sync(kAllLanes, value, distance); }
__device__ inline double shuffled(double value, int distance) { return __shfl_xor_sync(kAllLanes, value, distance); }
__device__ inline std::uint32_t shuffled(std::uint32_t value, int distance) {
  return __shfl_xor_sync(kAllLanes, value, distance);
}

// Joins groups of `lanes` neighbouring lanes: a power of two up to a warp, or kBlock. All threads of the block must get
// here with the same `lanes`.
template <class T, class Join>
__device__ T join_lanes(T value, unsigned lanes, Join join) {
  for (int distance = static_cast<int>(lanes < kWarp ? lanes : kWarp) / 2; distance > 0; distance /= 2) {
    value = join(value, shuffled(value, distance));
  }
  if (lanes <= kWarp) return value;
  __shared__ T of_warp[kBlock / kWarp];
  __syncthreads();  // the results of the last call have been read
  if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = of_warp[0];
  for (unsigned warp = 1; warp < kBlock / kWarp; ++warp) value = join(value, of_warp[warp]);
  return value;
}

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};

// Passes over NaN in `b`.
struct Larger {
  __device__ float operator()(float a, float b) const { return a < b ? b : a; }
};

}  // namespace amphora::cuda
