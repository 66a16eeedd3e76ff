// Walks strided index spaces, see strided.h: in packs, which lie in one row and are found together; else element by
// element, so that neighbouring threads write neighbours.
#pragma once

#include "cuda/include/io.cuh"
#include "cuda/include/strided.h"

namespace amphora::cuda {

struct Index {
  std::uint32_t at[kMaxAxes];  // 0 beyond the rank
};

// Element n of a space. All axes are unrolled: an index that is known only at run time would move the arguments to
// memory.
__device__ inline Index index_of(const Space& space, std::uint32_t n) {
  Index index;
#pragma unroll
  for (int axis = kMaxAxes - 1; axis > 0; --axis) {
    index.at[axis] = 0;
    if (axis >= space.rank) continue;
    const std::uint32_t size = space.sizes[axis];
    const std::uint32_t next = n / size;
    index.at[axis] = n - next * size;
    n = next;
  }
  index.at[0] = n;
  return index;
}

__device__ inline std::int64_t offset_of(const Index& index, const Strided& operand) {
  std::int64_t offset = 0;
#pragma unroll
  for (int axis = 0; axis < kMaxAxes; ++axis) {
    offset += std::int64_t{index.at[axis]} * operand.strides[axis];
  }
  return offset;
}

// Calls body(i, index) for the elements that this thread takes.
template <class Body>
__device__ void for_each_element(const Space& space, Body body) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < space.count; i += stride) {
    body(i, index_of(space, static_cast<std::uint32_t>(i)));
  }
}

// Calls body(i, n, index) for the packs that this thread takes: elements i to i + n - 1, index that of the first.
template <class Body>
__device__ void for_each_pack(const Space& space, Body body) {
  for_each_pack(space.count, [&](std::size_t i, int n) { body(i, n, index_of(space, static_cast<std::uint32_t>(i))); });
}

// The element of an operand, and the pack of n elements, that is at an index.
__device__ inline std::uint32_t load_stored(const Strided& operand, const Index& index) {
  return load_stored(operand.array, offset_of(index, operand));
}

__device__ inline StoredPack load_stored(const Strided& operand, const Index& index, int n) {
  const std::int64_t offset = offset_of(index, operand);
  if (operand.step == 1) return load_stored(operand.array, offset, n);
  StoredPack pack{};
  if (operand.step == 0) {
    const std::uint32_t stored = load_stored(operand.array, offset);
#pragma unroll
    for (int k = 0; k < kPack; ++k) pack.at[k] = stored;
    return pack;
  }
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < n) pack.at[k] = load_stored(operand.array, offset + std::int64_t{operand.step} * k);
  }
  return pack;
}

__device__ inline float load(const Strided& operand, const Index& index) {
  return widen(operand.array.type, load_stored(operand, index));
}

__device__ inline Pack load(const Strided& operand, const Index& index, int n) {
  return widen(operand.array.type, load_stored(operand, index, n));
}

}  // namespace amphora::cuda
