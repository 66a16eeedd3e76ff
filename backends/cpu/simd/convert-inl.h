// Vectors of f32, loaded from and stored to every floating element type. Included once for each target.
//
// Highway's own demotion to bf16 truncates, and its f16 conversion is exact only where the hardware has one, so the
// rounding is written here; the bits are those of core/dtype.h.

#if defined(AMPHORA_CPU_SIMD_CONVERT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AMPHORA_CPU_SIMD_CONVERT_INL_H_
#undef AMPHORA_CPU_SIMD_CONVERT_INL_H_
#else
#define AMPHORA_CPU_SIMD_CONVERT_INL_H_
#endif

#include <cstddef>
#include <cstring>

#include "hwy/highway.h"

#include "amphora/core/dtype.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using WordTag = hn::Rebind<std::uint32_t, FloatTag>;
using SignedTag = hn::Rebind<std::int32_t, FloatTag>;
using HalfTag = hn::Rebind<std::uint16_t, FloatTag>;
using Floats = hn::Vec<FloatTag>;
using Words = hn::Vec<WordTag>;
using Halves = hn::Vec<HalfTag>;

inline constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());

// 16 bits a lane, without saturation.
HWY_INLINE Halves low_halves(Words words) {
#if HWY_TARGET == HWY_AVX3
  return hn::DemoteTo(HalfTag(), hn::BitCast(SignedTag(), words));
#else
  return hn::TruncateTo(HalfTag(), words);
#endif
}

HWY_INLINE Floats widen(BF16, Halves bits) {
  return hn::BitCast(FloatTag(), hn::ShiftLeft<16>(hn::PromoteTo(WordTag(), bits)));
}

HWY_INLINE Halves narrow(BF16, Floats values) {
  const WordTag d;
  const Words bits = hn::BitCast(d, values);
  const Words odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1u));
  const Words rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(d, 0x7FFFu))));
  const Words quiet = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d, 0x40u));
  const auto is_nan = hn::Gt(hn::And(bits, hn::Set(d, 0x7FFF'FFFFu)), hn::Set(d, 0x7F80'0000u));
  return low_halves(hn::IfThenElse(is_nan, quiet, rounded));
}

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL

// The instructions of F16C are exact, subnormals and NaN payloads included.
HWY_INLINE Floats widen(F16, Halves bits) {
  return hn::PromoteTo(FloatTag(), hn::BitCast(hn::Rebind<hwy::float16_t, FloatTag>(), bits));
}
HWY_INLINE Halves narrow(F16, Floats values) {
  return hn::BitCast(HalfTag(), hn::DemoteTo(hn::Rebind<hwy::float16_t, FloatTag>(), values));
}

#else

HWY_INLINE Floats widen(F16, Halves bits) {
  const WordTag d;
  const Words half = hn::PromoteTo(d, bits);
  const Words sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(d, 0x8000u)));
  const Words exponent = hn::And(half, hn::Set(d, 0x7C00u));
  const Words fraction = hn::And(half, hn::Set(d, 0x3FFu));
  const Words shifted = hn::ShiftLeft<13>(hn::And(half, hn::Set(d, 0x7FFFu)));
  const Words normal = hn::Add(shifted, hn::Set(d, 112u << 23));
  // A NaN becomes quiet, as in hardware.
  const Words quiet = hn::IfThenZeroElse(hn::Eq(fraction, hn::Zero(d)), hn::Set(d, 0x40'0000u));
  const Words special = hn::Or(hn::Or(shifted, hn::Set(d, 0x7F80'0000u)), quiet);
  // 2^-14 + fraction * 2^-24 - 2^-14 is exact.
  const FloatTag df;
  const Floats offset = hn::BitCast(df, hn::Set(d, 113u << 23));
  const Words subnormal = hn::BitCast(d, hn::Sub(hn::BitCast(df, hn::Add(shifted, hn::Set(d, 113u << 23))), offset));
  Words magnitude = hn::IfThenElse(hn::Eq(exponent, hn::Zero(d)), subnormal, normal);
  magnitude = hn::IfThenElse(hn::Eq(exponent, hn::Set(d, 0x7C00u)), special, magnitude);
  return hn::BitCast(df, hn::Or(sign, magnitude));
}

HWY_INLINE Halves narrow(F16, Floats values) {
  const WordTag d;
  const FloatTag df;
  const Words bits = hn::BitCast(d, values);
  const Words sign = hn::ShiftRight<16>(hn::And(bits, hn::Set(d, 0x8000'0000u)));
  const Words magnitude = hn::And(bits, hn::Set(d, 0x7FFF'FFFFu));
  const Words odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(d, 1u));
  // Rebias the exponent (mod 2^32), round the 13 low bits away; a carry into the exponent is right.
  const Words normal = hn::ShiftRight<13>(hn::Add(hn::Add(magnitude, odd), hn::Set(d, 0xC800'0000u + 0xFFFu)));
  // An addend whose last bit weighs 2^-24 makes the adder round a subnormal.
  const Words magic = hn::Set(d, 126u << 23);
  const Words subnormal = hn::Sub(hn::BitCast(d, hn::Add(hn::BitCast(df, magnitude), hn::BitCast(df, magic))), magic);
  const Words payload = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(d, 0x3FFu));
  const Words nan = hn::Or(payload, hn::Set(d, 0x7E00u));
  Words result = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 113u << 23)), subnormal, normal);
  result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, (143u << 23) - 1)), hn::Set(d, 0x7C00u), result);
  result = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, 0x7F80'0000u)), nan, result);
  return low_halves(hn::Or(sign, result));
}

#endif

// Element type T at `p`: a whole vector, unaligned.
template <class T>
HWY_INLINE Floats load(const T* p) {
  if constexpr (std::is_same_v<T, float>) {
    return hn::LoadU(FloatTag(), p);
  } else {
    return widen(T{}, hn::LoadU(HalfTag(), reinterpret_cast<const std::uint16_t*>(p)));
  }
}

template <class T>
HWY_INLINE void store(Floats values, T* p) {
  if constexpr (std::is_same_v<T, float>) {
    hn::StoreU(values, FloatTag(), p);
  } else {
    hn::StoreU(narrow(T{}, values), HalfTag(), reinterpret_cast<std::uint16_t*>(p));
  }
}

// The first `count` lanes, the others zero. A copy, because a masked load may touch what it masks.
template <class T>
HWY_INLINE Floats load_part(const T* p, std::size_t count) {
  alignas(64) T lanes[kLanes] = {};
  std::memcpy(lanes, p, count * sizeof(T));
  return load(lanes);
}

template <class T>
HWY_INLINE void store_part(Floats values, T* p, std::size_t count) {
  alignas(64) T lanes[kLanes];
  store(values, lanes);
  std::memcpy(p, lanes, count * sizeof(T));
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
