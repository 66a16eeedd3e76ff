// Elements of every type behind one interface, one at a time or eight: 16 bytes of a 16-bit type, twice 16 of another.
//
// Rounding to 16 bits is to nearest, ties to even; a NaN keeps its payload's top bits and becomes quiet, as
// core/dtype.h has it. An i32 becomes the nearest f32, and saturates on the way back.
#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "cuda/include/array.h"

namespace amphora::cuda {

inline constexpr int kPack = 8;

struct Pack {
  float at[kPack];
};

// Elements as they are stored, a word each, where nothing but bits may move.
struct StoredPack {
  std::uint32_t at[kPack];
};

__device__ inline bool is_16bit(DType type) { return type == DType::f16 || type == DType::bf16; }
__device__ inline std::uint32_t bits_of(float x) { return __float_as_uint(x); }
__device__ inline float float_of(std::uint32_t bits) { return __uint_as_float(bits); }
__device__ inline bool is_nan_bits(std::uint32_t bits) { return (bits & 0x7FFFFFFFu) > 0x7F800000u; }
__device__ inline bool is_finite(float x) { return (bits_of(x) & 0x7F800000u) != 0x7F800000u; }

// --- one element: stored bits and numbers ---

__device__ inline float widen(DType type, std::uint32_t stored) {
  switch (type) {
    case DType::f16: {
      if ((stored & 0x7FFFu) > 0x7C00u) {  // NaN: hardware would drop its payload
        return float_of((stored & 0x8000u) << 16 | 0x7FC00000u | (stored & 0x3FFu) << 13);
      }
      return __half2float(__ushort_as_half(static_cast<unsigned short>(stored)));
    }
    case DType::bf16: return float_of(stored << 16);
    case DType::i32: return __int2float_rn(static_cast<int>(stored));
    default: return float_of(stored);
  }
}

__device__ inline std::uint32_t narrow(DType type, float value) {
  const std::uint32_t bits = bits_of(value);
  switch (type) {
    case DType::f16: {
      if (is_nan_bits(bits)) return (bits >> 16 & 0x8000u) | 0x7E00u | (bits >> 13 & 0x3FFu);
      return __half_as_ushort(__float2half_rn(value));
    }
    case DType::bf16: {
      if (is_nan_bits(bits)) return bits >> 16 | 0x40u;
      return (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    }
    case DType::i32: return is_nan_bits(bits) ? 0u : static_cast<std::uint32_t>(__float2int_rz(value));
    default: return bits;
  }
}

// --- one element in memory ---

__device__ inline std::uint32_t load_stored(const Array& array, std::size_t i) {
  if (is_16bit(array.type)) return static_cast<const std::uint16_t*>(array.data)[i];
  return static_cast<const std::uint32_t*>(array.data)[i];
}

__device__ inline void store_stored(const Array& array, std::size_t i, std::uint32_t stored) {
  if (is_16bit(array.type)) {
    static_cast<std::uint16_t*>(array.data)[i] = static_cast<std::uint16_t>(stored);
  } else {
    static_cast<std::uint32_t*>(array.data)[i] = stored;
  }
}

__device__ inline float load(const Array& array, std::size_t i) { return widen(array.type, load_stored(array, i)); }
__device__ inline void store(const Array& array, std::size_t i, float value) {
  store_stored(array, i, narrow(array.type, value));
}

// --- elements i to i + n - 1, n at most eight; where n is eight, i is a multiple of eight ---

__device__ inline StoredPack load_stored(const Array& array, std::size_t i, int n) {
  StoredPack pack{};
  if (n == kPack && array.wide) {
    if (is_16bit(array.type)) {
      const uint4 words = static_cast<const uint4*>(array.data)[i / kPack];
      const std::uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
      for (int k = 0; k < kPack; ++k) pack.at[k] = k % 2 == 0 ? pairs[k / 2] & 0xFFFFu : pairs[k / 2] >> 16;
      return pack;
    }
    const uint4 low = static_cast<const uint4*>(array.data)[i / 4];
    const uint4 high = static_cast<const uint4*>(array.data)[i / 4 + 1];
    return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
  }
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < n) pack.at[k] = load_stored(array, i + k);
  }
  return pack;
}

__device__ inline void store_stored(const Array& array, std::size_t i, int n, const StoredPack& pack) {
  if (n == kPack && array.wide) {
    if (is_16bit(array.type)) {
      static_cast<uint4*>(array.data)[i / kPack] =
          make_uint4(pack.at[0] | pack.at[1] << 16, pack.at[2] | pack.at[3] << 16, pack.at[4] | pack.at[5] << 16,
                     pack.at[6] | pack.at[7] << 16);
      return;
    }
    static_cast<uint4*>(array.data)[i / 4] = make_uint4(pack.at[0], pack.at[1], pack.at[2], pack.at[3]);
    static_cast<uint4*>(array.data)[i / 4 + 1] = make_uint4(pack.at[4], pack.at[5], pack.at[6], pack.at[7]);
    return;
  }
#pragma unroll
  for (int k = 0; k < kPack; ++k) {
    if (k < n) store_stored(array, i + k, pack.at[k]);
  }
}

__device__ inline Pack load(const Array& array, std::size_t i, int n) {
  const StoredPack stored = load_stored(array, i, n);
  Pack pack;
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = widen(array.type, stored.at[k]);
  return pack;
}

__device__ inline void store(const Array& array, std::size_t i, int n, const Pack& pack) {
  StoredPack stored;
#pragma unroll
  for (int k = 0; k < kPack; ++k) stored.at[k] = narrow(array.type, pack.at[k]);
  store_stored(array, i, n, stored);
}

// Calls body(i, n) for the packs of a flat range that this thread takes: elements i to i + n - 1.
template <class Body>
__device__ void for_each_pack(std::uint32_t count, Body body) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x * kPack;
  for (std::size_t i = (std::size_t{blockIdx.x} * blockDim.x + threadIdx.x) * kPack; i < count; i += stride) {
    body(i, static_cast<int>(count - i < kPack ? count - i : kPack));
  }
}

}  // namespace amphora::cuda
