// A vector of f32 with operators, and the functions that pointwise.def names. Included once for each target.
//
// Highway's functions are accurate to a few units in the last place inside the range that each documents; what lies
// outside, NaN and the infinities are settled here.

#if defined(AMPHORA_CPU_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef AMPHORA_CPU_SIMD_MATH_INL_H_
#undef AMPHORA_CPU_SIMD_MATH_INL_H_
#else
#define AMPHORA_CPU_SIMD_MATH_INL_H_
#endif

#include <cmath>
#include <limits>

#include "hwy/contrib/math/math-inl.h"

#include "backends/cpu/simd/convert-inl.h"

HWY_BEFORE_NAMESPACE();
namespace amphora::cpu::simd::HWY_NAMESPACE {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Value {
  Floats v;
};
using Condition = hn::Mask<FloatTag>;

HWY_INLINE Value constant(float value) { return {hn::Set(FloatTag(), value)}; }
HWY_INLINE Value operator+(Value a, Value b) { return {hn::Add(a.v, b.v)}; }
HWY_INLINE Value operator-(Value a, Value b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE Value operator*(Value a, Value b) { return {hn::Mul(a.v, b.v)}; }
HWY_INLINE Value operator/(Value a, Value b) { return {hn::Div(a.v, b.v)}; }
HWY_INLINE Condition less(Value a, Value b) { return hn::Lt(a.v, b.v); }
HWY_INLINE Value select(Condition condition, Value yes, Value no) { return {hn::IfThenElse(condition, yes.v, no.v)}; }
HWY_INLINE Value square_root(Value x) { return {hn::Sqrt(x.v)}; }
HWY_INLINE Value absolute(Value x) { return {hn::Abs(x.v)}; }

// Calls `function` for each lane: for what has no vector form.
template <class Function>
HWY_NOINLINE Floats each_lane(Floats x, const Function& function) {
  alignas(64) float lanes[kLanes];
  hn::Store(x, FloatTag(), lanes);
  for (float& lane : lanes) lane = static_cast<float>(function(static_cast<double>(lane)));
  return hn::Load(FloatTag(), lanes);
}

HWY_INLINE Value exponential(Value x) {
  const FloatTag d;
  // 104 is the end of Highway's range and overflows as well as any larger number.
  const Floats bounded = hn::IfThenElse(hn::Gt(x.v, hn::Set(d, 104.0f)), hn::Set(d, 104.0f), x.v);
  return {hn::IfThenElse(hn::Eq(x.v, x.v), hn::Exp(d, bounded), x.v)};
}

HWY_INLINE Value exponential_minus_1(Value x) {
  const FloatTag d;
  return {hn::Expm1(d, hn::IfThenElse(hn::Gt(x.v, hn::Set(d, 104.0f)), hn::Set(d, 104.0f), x.v))};
}

HWY_INLINE Value logarithm(Value x) {
  const FloatTag d;
  const Floats zero = hn::Zero(d);
  const auto regular = hn::And(hn::Gt(x.v, zero), hn::Lt(x.v, hn::Set(d, kInfinity)));
  // 0 gives -inf, below it NaN; inf and NaN stay. x - x is NaN for -inf too.
  const Floats negative = hn::Div(hn::Sub(x.v, x.v), zero);
  Floats special = hn::IfThenElse(hn::Lt(x.v, zero), negative, x.v);
  special = hn::IfThenElse(hn::Eq(x.v, zero), hn::Set(d, -kInfinity), special);
  return {hn::IfThenElse(regular, hn::Log(d, x.v), special)};
}

HWY_INLINE Value logarithm_of_1_plus(Value x) {
  // log(1 + x), corrected for what the sum rounded away (Kahan's HP-15C handbook).
  const Value sum = x + constant(1.0f);
  const Value difference = sum - constant(1.0f);
  const Floats corrected = hn::Mul(logarithm(sum).v, hn::Div(x.v, difference.v));
  const Floats large = hn::IfThenElse(hn::Eq(sum.v, hn::Set(FloatTag(), kInfinity)), sum.v, corrected);
  return {hn::IfThenElse(hn::Eq(sum.v, hn::Set(FloatTag(), 1.0f)), x.v, large)};
}

HWY_INLINE Value hyperbolic_tangent(Value x) { return {hn::Tanh(FloatTag(), x.v)}; }

HWY_INLINE Value sine(Value x) {
  const auto near = hn::Le(hn::Abs(x.v), hn::Set(FloatTag(), 39000.0f));
  if (HWY_LIKELY(hn::AllTrue(FloatTag(), near))) return {hn::Sin(FloatTag(), x.v)};
  return {each_lane(x.v, [](double lane) { return std::sin(lane); })};
}

HWY_INLINE Value cosine(Value x) {
  const auto near = hn::Le(hn::Abs(x.v), hn::Set(FloatTag(), 39000.0f));
  if (HWY_LIKELY(hn::AllTrue(FloatTag(), near))) return {hn::Cos(FloatTag(), x.v)};
  return {each_lane(x.v, [](double lane) { return std::cos(lane); })};
}

// The exponent is the same in every lane.
HWY_INLINE Value power(Value x, Value exponent) {
  const double p = hn::GetLane(exponent.v);
  return {each_lane(x.v, [p](double lane) { return std::pow(lane, p); })};
}

}  // namespace amphora::cpu::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
