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

struct Pack {
  float at[kPack];
};

// Elements as they are stored, a word each, where nothing but bits may move.
struct StoredPack {
  std::uint32_t at[kPack];
};

__device__ inline bool takes_16_bits(DType type) { return type == DType::f16 || type == DType::bf16; }
__device__ inline std::uint32_t bits_of(float x) { return __float_as_uint(x); }
__device__ inline float float_of(std::uint32_t bits) { return __uint_as_float(bits); }
__device__ inline bool is_nan_bits(std::uint32_t bits) { return (bits & 0x7FFFFFFFu) > 0x7F800000u; }
__device__ inline bool is_finite(float x) { return (bits_of(x) & 0x7F800000u) != 0x7F800000u; }

// --- one element: stored bits and numbers ---

// NaNs take the integer way, which keeps the payload's top bits: hardware drops them.
__device__ inline bool is_nan_f16(std::uint32_t stored) { return (stored & 0x7FFFu) > 0x7C00u; }
__device__ inline float nan_of_f16(std::uint32_t stored) {
  return float_of((stored & 0x8000u) << 16 | 0x7FC00000u | (stored & 0x3FFu) << 13);
}
__device__ inline std::uint32_t f16_of_nan(std::uint32_t bits) {
  return (bits >> 16 & 0x8000u) | 0x7E00u | (bits >> 13 & 0x3FFu);
}
__device__ inline std::uint32_t bf16_of_nan(std::uint32_t bits) { return bits >> 16 | 0x40u; }

__device__ inline float widen(DType type, std::uint32_t stored) {
  switch (type) {
    case DType::f16:
      if (is_nan_f16(stored)) return nan_of_f16(stored);
      return __half2float(__ushort_as_half(static_cast<unsigned short>(stored)));
    case DType::bf16: return float_of(stored << 16);
    case DType::i32: return __int2float_rn(static_cast<int>(stored));
    default: return float_of(stored);
  }
}

__device__ inline std::uint32_t narrow(DType type, float value) {
  const std::uint32_t bits = bits_of(value);
  switch (type) {
    case DType::f16: return is_nan_bits(bits) ? f16_of_nan(bits) : __half_as_ushort(__float2half_rn(value));
    case DType::bf16: return is_nan_bits(bits) ? bf16_of_nan(bits) : (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    case DType::i32: return is_nan_bits(bits) ? 0u : static_cast<std::uint32_t>(__float2int_rz(value));
    default: return bits;
  }
}

// An i32 on its way to 16 bits. Where f32 would round it, its last nine digits become one that says whether there were
// any: too low to be kept, it leaves ties as they were, so that the next rounding is the only one.
__device__ inline float widen_for_16bit(std::uint32_t stored) {
  constexpr std::uint32_t kExact = 1u << 24;
  if (stored + kExact > 2 * kExact && (stored & 0xFFu) != 0) stored = (stored & ~0xFFu) | 0x100u;
  return __int2float_rn(static_cast<int>(stored));
}

// From storage as one type to storage as another, rounded once; one type keeps the bits.
__device__ inline std::uint32_t converted(DType from, DType to, std::uint32_t stored) {
  if (from == to) return stored;
  return narrow(to, from == DType::i32 && takes_16_bits(to) ? widen_for_16bit(stored) : widen(from, stored));
}

// --- eight elements: the switch over the type costs once for all ---

__device__ inline bool has_nan(const Pack& pack) {
  bool result = false;
#pragma unroll
  for (int k = 0; k < kPack; ++k) result |= pack.at[k] != pack.at[k];
  return result;
}

__device__ inline Pack widen(DType type, const StoredPack& stored) {
  Pack pack;
  switch (type) {
    case DType::f16:
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        pack.at[k] = __half2float(__ushort_as_half(static_cast<unsigned short>(stored.at[k])));
      }
      if (!has_nan(pack)) break;
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        if (is_nan_f16(stored.at[k])) pack.at[k] = nan_of_f16(stored.at[k]);
      }
      break;
    case DType::bf16:
#pragma unroll
      for (int k = 0; k < kPack; ++k) pack.at[k] = float_of(stored.at[k] << 16);
      break;
    case DType::i32:
#pragma unroll
      for (int k = 0; k < kPack; ++k) pack.at[k] = __int2float_rn(static_cast<int>(stored.at[k]));
      break;
    default:
#pragma unroll
      for (int k = 0; k < kPack; ++k) pack.at[k] = float_of(stored.at[k]);
  }
  return pack;
}

// Two 16-bit elements are rounded by one instruction, and lie in one word until they are stored.
__device__ inline void narrow_pairs(DType type, const Pack& pack, StoredPack& stored) {
#pragma unroll
  for (int k = 0; k < kPack; k += 2) {
    if (type == DType::f16) {
      const __half2_raw pair = __floats2half2_rn(pack.at[k], pack.at[k + 1]);
      stored.at[k] = pair.x, stored.at[k + 1] = pair.y;
    } else {
      const __nv_bfloat162_raw pair = __floats2bfloat162_rn(pack.at[k], pack.at[k + 1]);
      stored.at[k] = pair.x, stored.at[k + 1] = pair.y;
    }
  }
}

__device__ inline StoredPack narrow(DType type, const Pack& pack) {
  StoredPack stored;
  switch (type) {
    case DType::f16:
      narrow_pairs(DType::f16, pack, stored);
      if (!has_nan(pack)) break;
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        if (is_nan_bits(bits_of(pack.at[k]))) stored.at[k] = f16_of_nan(bits_of(pack.at[k]));
      }
      break;
    case DType::bf16:
      narrow_pairs(DType::bf16, pack, stored);
      if (!has_nan(pack)) break;
#pragma unroll
      for (int k = 0; k < kPack; ++k) {
        if (is_nan_bits(bits_of(pack.at[k]))) stored.at[k] = bf16_of_nan(bits_of(pack.at[k]));
      }
      break;
    case DType::i32:
#pragma unroll
      for (int k = 0; k < kPack; ++k) stored.at[k] = narrow(DType::i32, pack.at[k]);
      break;
    default:
#pragma unroll
      for (int k = 0; k < kPack; ++k) stored.at[k] = bits_of(pack.at[k]);
  }
  return stored;
}

// --- one element in memory ---

__device__ inline std::uint32_t load_stored(const Array& array, std::size_t i) {
  if (takes_16_bits(array.type)) return static_cast<const std::uint16_t*>(array.data)[i];
  return static_cast<const std::uint32_t*>(array.data)[i];
}

__device__ inline void store_stored(const Array& array, std::size_t i, std::uint32_t stored) {
  if (takes_16_bits(array.type)) {
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
    if (takes_16_bits(array.type)) {
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
    if (takes_16_bits(array.type)) {
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
  return widen(array.type, load_stored(array, i, n));
}

__device__ inline void store(const Array& array, std::size_t i, int n, const Pack& pack) {
  store_stored(array, i, n, narrow(array.type, pack));
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
