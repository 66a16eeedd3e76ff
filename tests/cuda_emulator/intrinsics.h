// What kernels use of CUDA's device functions. Threads run in turns, so atomic functions are ordinary ones.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include <math.h>

#include "cuda_emulator/grid.h"

inline constexpr int warpSize = 32;

// --- meeting other threads ---

inline void __syncthreads() { amphora::emulator::meet_block(false); }
inline int __syncthreads_or(int value) { return amphora::emulator::meet_block(value != 0) ? 1 : 0; }
inline int __syncthreads_and(int value) { return amphora::emulator::meet_block(value == 0) ? 0 : 1; }
inline void __syncwarp(unsigned mask = ~0u) {
  amphora::emulator::meet_warp(amphora::emulator::WarpFunction::sync, mask, 0);
}

namespace amphora::emulator {

// The value of lane `source`.
template <class T>
T shuffle(unsigned mask, const T& value, unsigned source) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = meet_warp(WarpFunction::shuffle, mask, bits)[source];
  T result;
  std::memcpy(&result, &bits, sizeof(T));
  return result;
}

inline unsigned ballot(unsigned mask, bool value) {
  const std::uint64_t* values = meet_warp(WarpFunction::vote, mask, value ? 1 : 0);
  unsigned result = 0;
  for (int i = 0; i < warpSize; ++i) result |= static_cast<unsigned>(values[i]) << i;
  return result;
}

// The lane to take from, or the own one where `inside` says that there is none.
inline unsigned source_of(unsigned other, bool inside) { return inside ? other : lane(); }

}  // namespace amphora::emulator

// `width` lanes, a power of two, are a group of their own.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize) {
  const unsigned group = amphora::emulator::lane() / static_cast<unsigned>(width) * static_cast<unsigned>(width);
  return amphora::emulator::shuffle(mask, value, group + static_cast<unsigned>(source) % static_cast<unsigned>(width));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = amphora::emulator::lane();
  const bool inside = lane % static_cast<unsigned>(width) >= delta;
  return amphora::emulator::shuffle(mask, value, amphora::emulator::source_of(lane - delta, inside));
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const unsigned lane = amphora::emulator::lane();
  const bool inside = lane % static_cast<unsigned>(width) + delta < static_cast<unsigned>(width);
  return amphora::emulator::shuffle(mask, value, amphora::emulator::source_of(lane + delta, inside));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize) {
  const unsigned lane = amphora::emulator::lane();
  const unsigned other = lane ^ static_cast<unsigned>(bits);
  const bool inside = other / static_cast<unsigned>(width) <= lane / static_cast<unsigned>(width) && other < warpSize;
  return amphora::emulator::shuffle(mask, value, amphora::emulator::source_of(other, inside));
}

inline unsigned __ballot_sync(unsigned mask, int value) { return amphora::emulator::ballot(mask, value != 0); }
inline int __any_sync(unsigned mask, int value) { return amphora::emulator::ballot(mask, value != 0) != 0u ? 1 : 0; }
inline int __all_sync(unsigned mask, int value) { return amphora::emulator::ballot(mask, value != 0) == ~0u ? 1 : 0; }

inline void __threadfence() {}
inline void __threadfence_block() {}

// --- memory: each of these returns what was there before ---

namespace amphora::emulator {

template <class T, class Change>
T change(T* address, Change next) {
  const T before = *address;
  *address = next(before);
  return before;
}

}  // namespace amphora::emulator

#define AMPHORA_EMULATED_ATOMICS(T)                                                                   \
  inline T atomicAdd(T* a, T v) { /* wraps */                                                         \
    return amphora::emulator::change(a, [=](T x) {                                                    \
      return static_cast<T>(static_cast<unsigned long long>(x) + static_cast<unsigned long long>(v)); \
    });                                                                                               \
  }                                                                                                   \
  inline T atomicMax(T* a, T v) {                                                                     \
    return amphora::emulator::change(a, [=](T x) { return x < v ? v : x; });                          \
  }                                                                                                   \
  inline T atomicMin(T* a, T v) {                                                                     \
    return amphora::emulator::change(a, [=](T x) { return v < x ? v : x; });                          \
  }                                                                                                   \
  inline T atomicExch(T* a, T v) {                                                                    \
    return amphora::emulator::change(a, [=](T) { return v; });                                        \
  }                                                                                                   \
  inline T atomicOr(T* a, T v) {                                                                      \
    return amphora::emulator::change(a, [=](T x) { return x | v; });                                  \
  }                                                                                                   \
  inline T atomicAnd(T* a, T v) {                                                                     \
    return amphora::emulator::change(a, [=](T x) { return x & v; });                                  \
  }                                                                                                   \
  inline T atomicCAS(T* a, T old, T v) {                                                              \
    return amphora::emulator::change(a, [=](T x) { return x == old ? v : x; });                       \
  }
AMPHORA_EMULATED_ATOMICS(int)
AMPHORA_EMULATED_ATOMICS(unsigned)
AMPHORA_EMULATED_ATOMICS(unsigned long long)
#undef AMPHORA_EMULATED_ATOMICS

template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}

// --- numbers ---

inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __int2float_rz(int x) {
  const float nearest = static_cast<float>(x);
  const bool is_too_large = std::fabs(static_cast<double>(nearest)) > std::fabs(static_cast<double>(x));
  return is_too_large ? std::nextafterf(nearest, 0.0f) : nearest;
}
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

// Saturate, as hardware does; a NaN is 0.
inline int __float2int_rz(float x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p31f) return std::numeric_limits<int>::max();
  if (x < -0x1p31f) return std::numeric_limits<int>::min();
  return static_cast<int>(x);
}
inline unsigned __float2uint_rz(float x) {
  if (!(x > 0.0f)) return 0;
  return x >= 0x1p32f ? ~0u : static_cast<unsigned>(x);
}
inline int __float2int_rn(float x) { return __float2int_rz(std::nearbyint(x)); }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float rsqrtf(float x) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x))); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }

inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<unsigned long long>(high) << 32 | low) << (shift & 31u) >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<unsigned long long>(high) << 32 | low) >> (shift & 31u));
}
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }

#define AMPHORA_EMULATED_MIN_MAX(T)                \
  inline T min(T a, T b) { return b < a ? b : a; } \
  inline T max(T a, T b) { return a < b ? b : a; }
AMPHORA_EMULATED_MIN_MAX(int)
AMPHORA_EMULATED_MIN_MAX(unsigned)
AMPHORA_EMULATED_MIN_MAX(long)
AMPHORA_EMULATED_MIN_MAX(unsigned long)
AMPHORA_EMULATED_MIN_MAX(long long)
AMPHORA_EMULATED_MIN_MAX(unsigned long long)
#undef AMPHORA_EMULATED_MIN_MAX
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
