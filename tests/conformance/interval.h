// Derived error bounds: interval arithmetic over what f32 evaluation of a formula may give.
//
// Every operation widens the interval by its own rounding error, so the interval of a formula holds every result that
// a faithful f32 implementation can have. Rounding to a storage type is monotone: a kernel's stored result must lie
// between the rounded ends.
#pragma once

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include <gtest/gtest.h>

#include "conformance/harness.h"

namespace amphora::conformance {

inline constexpr double kUnit = 0x1p-24;   // relative error of one rounding in f32
inline constexpr double kUlp = 0x1p-23;    // a unit in the last place is at most this much of the value
inline constexpr double kTiny = 0x1p-149;  // absolute error where f32 is subnormal

inline constexpr double kEndless = std::numeric_limits<double>::infinity();

struct Interval {
  double low;
  double high;

  // A number that f32 holds exactly.
  static Interval exact(double value) { return {value, value}; }
  static Interval around(double value, double error) { return {value - error, value + error}; }
  static Interval anything() { return {-kEndless, kEndless}; }

  bool is_endless() const { return !(low > -kEndless && high < kEndless); }
  // This interval, and what an error of `relative` makes of its ends.
  Interval widened(double relative) const {
    if (std::isnan(low) || std::isnan(high)) return anything();
    // An end that overflows f32 may become infinite.
    const auto limit = [](double end) {
      return std::abs(end) < 0x1p128 * (1.0 - 0x1p-25) ? end : std::copysign(kEndless, end);
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

inline Interval operator+(const Interval& a, const Interval& b) {
  return Interval{a.low + b.low, a.high + b.high}.widened(kUnit);
}
inline Interval operator-(const Interval& a, const Interval& b) {
  return Interval{a.low - b.high, a.high - b.low}.widened(kUnit);
}
inline Interval operator*(const Interval& a, const Interval& b) {
  return hull({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high}).widened(kUnit);
}
inline Interval operator/(const Interval& a, const Interval& b) {
  if (b.contains(0.0)) return Interval::anything();
  return hull({a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high}).widened(kUnit);
}

// A comparison of intervals may be open.
struct Verdict {
  bool can_hold;
  bool can_fail;
};
inline Verdict less(const Interval& a, const Interval& b) { return {a.low < b.high, !(a.high < b.low)}; }
inline Interval select(const Verdict& verdict, const Interval& yes, const Interval& no) {
  if (verdict.can_hold && verdict.can_fail) return hull(yes, no);
  return verdict.can_hold ? yes : no;
}

// A function that grows, computed to within `ulps` units in the last place.
template <class Function>
Interval monotone(const Interval& x, double ulps, Function function) {
  return Interval{function(x.low), function(x.high)}.widened(ulps * kUlp);
}
// A function with a slope of at most 1.
template <class Function>
Interval gentle(const Interval& x, double ulps, Function function) {
  const double middle = (x.low + x.high) / 2;
  return Interval::around(function(middle), (x.high - x.low) / 2).widened(ulps * kUlp);
}
inline Interval absolute(const Interval& x) {
  if (x.contains(0.0)) return {0.0, std::max(-x.low, x.high)};
  return x.low > 0 ? x : Interval{-x.high, -x.low};
}
inline Interval power(const Interval& x, const Interval& exponent) {
  if (x.low < 0 && x.high > 0) return Interval::anything();
  return hull({std::pow(x.low, exponent.low), std::pow(x.low, exponent.high), std::pow(x.high, exponent.low),
               std::pow(x.high, exponent.high)})
      .widened(kUlp);
}

inline double rounded(DType type, double value) {
  double storage = 0.0;
  store_element(type, &storage, 0, value);
  return load_element(type, &storage, 0);
}

// Expects element `i` to be what storing a number of `interval` can give.
inline void expect_inside(const Array& actual, std::size_t i, const Interval& interval) {
  const double low = rounded(actual.type(), interval.low);
  const double high = rounded(actual.type(), interval.high);
  const double value = actual[i];
  const bool may_be_nan = std::isnan(value) && interval.is_endless();
  EXPECT_TRUE((low <= value && value <= high) || may_be_nan)
      << "element " << i << " is " << value << ", outside of [" << low << ", " << high << "]";
}

// Where the true result is infinite or NaN, bounds mean nothing: the result must be of the same kind.
inline bool same_kind(double actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::isfinite(actual);
}

}  // namespace amphora::conformance
