// Derived error bounds: interval arithmetic over what f32 evaluation of a formula may give.
//
// Every operation widens the interval by its own rounding error, so the interval of a formula holds every result that
// an implementation with the subject's accuracy can have. Rounding to a storage type is monotone: a kernel's stored
// result must lie between the rounded ends.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "conformance/subject.h"

namespace amphora::conformance {

inline constexpr double kUnit = 0x1p-24;   // relative error of one rounding in f32
inline constexpr double kUlp = 0x1p-23;    // a unit in the last place is at most this much of the value
inline constexpr double kTiny = 0x1p-149;  // absolute error where f32 is subnormal
inline constexpr double kSmallestNormal = 0x1p-126;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Interval {
  double low;
  double high;

  // A number that f32 holds exactly.
  static Interval exact(double value) { return {value, value}; }
  static Interval around(double value, double error) { return {value - error, value + error}; }
  static Interval anything() { return {-kInfinity, kInfinity}; }

  bool is_unbounded() const { return !(low > -kInfinity && high < kInfinity); }
  // This interval, and what an error of `relative` makes of its ends.
  Interval widened(double relative) const {
    if (std::isnan(low) || std::isnan(high)) return anything();
    // An end that overflows f32 may become infinite.
    const auto limit = [](double end) {
      return std::abs(end) < 0x1p128 * (1.0 - 0x1p-25) ? end : std::copysign(kInfinity, end);
    };
    const double lower = low - std::abs(low) * relative - kTiny;
    const double upper = high + std::abs(high) * relative + kTiny;
    // Where even the near end overflows it may still stay at the largest number.
    return {lower > 0 ? lower : limit(lower), upper < 0 ? upper : limit(upper)};
  }
  bool contains(double value) const { return low <= value && value <= high; }
};

inline Interval hull(std::initializer_list<double> values) {
  for (const double value : values) {
    if (std::isnan(value)) return Interval::anything();
  }
  return {std::min(values), std::max(values)};
}
inline Interval hull(const Interval& a, const Interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// What a subnormal operand or result may count as.
inline Interval flushed(const Interval& x) {
  if (!accuracy().flushes_subnormals) return x;
  const bool near_above = 0.0 < x.low && x.low < kSmallestNormal;
  const bool near_below = -kSmallestNormal < x.high && x.high < 0.0;
  return {near_above ? 0.0 : x.low, near_below ? 0.0 : x.high};
}

inline Interval sum(const Interval& a, const Interval& b) {
  return Interval{a.low + b.low, a.high + b.high}.widened(kUnit);
}
inline Interval product(const Interval& a, const Interval& b) {
  return hull({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high}).widened(kUnit);
}
inline Interval quotient(const Interval& a, const Interval& b) {
  if (b.contains(0.0)) return Interval::anything();
  return hull({a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high}).widened(accuracy().divide * kUlp);
}
inline Interval negated(const Interval& x) { return {-x.high, -x.low}; }

inline Interval operator+(const Interval& a, const Interval& b) { return sum(flushed(a), flushed(b)); }
inline Interval operator-(const Interval& a, const Interval& b) { return sum(flushed(a), negated(flushed(b))); }
inline Interval operator*(const Interval& a, const Interval& b) { return product(flushed(a), flushed(b)); }
inline Interval operator/(const Interval& a, const Interval& b) { return quotient(flushed(a), flushed(b)); }

// A comparison of intervals may be open.
struct Verdict {
  bool can_hold;
  bool can_fail;
};
inline Verdict less(const Interval& a, const Interval& b) {
  const Interval left = flushed(a), right = flushed(b);
  return {left.low < right.high, !(left.high < right.low)};
}
inline Interval select(const Verdict& verdict, const Interval& yes, const Interval& no) {
  if (verdict.can_hold && verdict.can_fail) return hull(yes, no);
  return verdict.can_hold ? yes : no;
}

// A function that grows, computed to within `ulps` units in the last place.
template <class Function>
Interval monotone(const Interval& argument, double ulps, Function function) {
  const Interval x = flushed(argument);
  return Interval{function(x.low), function(x.high)}.widened(ulps * kUlp);
}
// A function with a slope of at most 1.
template <class Function>
Interval gentle(const Interval& argument, double ulps, Function function) {
  const Interval x = flushed(argument);
  const double middle = (x.low + x.high) / 2;
  return Interval::around(function(middle), (x.high - x.low) / 2).widened(ulps * kUlp);
}
inline Interval absolute(const Interval& x) {
  if (x.contains(0.0)) return {0.0, std::max(-x.low, x.high)};
  return x.low > 0 ? x : negated(x);
}
inline Interval power(const Interval& base, const Interval& exponent) {
  const Interval x = flushed(base);
  if (x.low < 0 && x.high > 0) return Interval::anything();
  return hull({std::pow(x.low, exponent.low), std::pow(x.low, exponent.high), std::pow(x.high, exponent.low),
               std::pow(x.high, exponent.high)})
      .widened(accuracy().power * kUlp);
}

}  // namespace amphora::conformance
