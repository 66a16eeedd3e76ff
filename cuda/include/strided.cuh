// Walks strided index spaces, see strided.h.
#pragma once

#include "cuda/include/io.cuh"
#include "cuda/include/strided.h"

namespace amphora::cuda {

// Where a pack lies: its row, its first element of it, and how many elements it has.
struct Place {
  std::uint32_t row;
  std::uint32_t column;
  int n;
};

// Calls body(place) for the packs that this thread takes.
template <class Body>
__device__ void for_each_pack(const Space& space, Body body) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t pack = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; pack < space.packs; pack += stride) {
    const auto row = static_cast<std::uint32_t>(pack / space.row_packs);
    const auto column = static_cast<std::uint32_t>(pack - std::size_t{row} * space.row_packs) * kPack;
    const std::uint32_t left = space.row_length - column;
    body(Place{row, column, static_cast<int>(left < kPack ? left : kPack)});
  }
}

// The offset of a row's first element. All axes are unrolled: an index that is known only at run time would move the
// arguments to memory.
__device__ inline std::int64_t row_offset(const Space& space, const std::int32_t* strides, std::uint32_t row) {
  std::int64_t offset = 0;
#pragma unroll
  for (int axis = kMostAxes - 2; axis >= 0; --axis) {
    if (axis > space.rank - 2) continue;
    const auto size = static_cast<std::uint32_t>(space.sizes[axis]);
    const std::uint32_t next = row / size;
    offset += std::int64_t{row - next * size} * strides[axis];
    row = next;
  }
  return offset;
}

__device__ inline StoredPack load_stored(const Space& space, const Strided& operand, const Place& place) {
  const std::int32_t step = operand.step;
  const std::int64_t begin = row_offset(space, operand.strides, place.row) + std::int64_t{place.column} * step;
  if (operand.array.wide && step == 1 && place.n == kPack) return load_stored(operand.array, begin, kPack);
  StoredPack pack{};
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < place.n) pack.at[k] = load_stored(operand.array, begin + k * step);
  }
  return pack;
}

__device__ inline Pack load(const Space& space, const Strided& operand, const Place& place) {
  const StoredPack stored = load_stored(space, operand, place);
  Pack pack;
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = widen(operand.array.type, stored.at[k]);
  return pack;
}

__device__ inline void store_stored(const Space& space, const Strided& operand, const Place& place,
                                    const StoredPack& pack) {
  const std::int32_t step = operand.step;
  const std::int64_t begin = row_offset(space, operand.strides, place.row) + std::int64_t{place.column} * step;
  if (operand.array.wide && step == 1 && place.n == kPack) return store_stored(operand.array, begin, kPack, pack);
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < place.n) store_stored(operand.array, begin + k * step, pack.at[k]);
  }
}

// A contiguous result over the space.
__device__ inline void store(const Space& space, const Array& array, const Place& place, const Pack& pack) {
  const std::size_t begin = std::size_t{place.row} * space.row_length + place.column;
  if (array.wide && place.n == kPack) return store(array, begin, kPack, pack);
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < place.n) store(array, begin + k, pack.at[k]);
  }
}

}  // namespace amphora::cuda
