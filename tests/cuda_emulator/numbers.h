// What kernels use of CUDA's functions for numbers, beside those of the C library.
#pragma once

#include <bit>
#include <cmath>
#include <limits>

#include <math.h>  // NOLINT(modernize-deprecated-headers): in the global namespace, as CUDA has them

// NOLINTBEGIN(readability-identifier-naming): the names are CUDA's

inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __int2float_rz(int x) {
  const auto nearest = static_cast<float>(x);
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

// NOLINTEND(readability-identifier-naming)
