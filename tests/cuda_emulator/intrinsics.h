// What kernels use of CUDA's functions for threads and memory. Threads run in turns, so atomic functions are ordinary
// ones.
#pragma once

#include <cstdint>
#include <cstring>

#include "cuda_emulator/grid.h"

// NOLINTBEGIN(readability-identifier-naming): the names are CUDA's

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

// --- memory: atomic functions return what was there before ---

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

// NOLINTEND(readability-identifier-naming)
