#include "conformance/check.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "amphora/core/error.h"

namespace amphora::conformance {
namespace {

// Half of the distance between neighbours of `type` around `value`.
double half_step(DType type, double value) {
  if (type == DType::f64) return 0.0;
  if (type == DType::i32) return 0.5;
  struct Format {
    int mantissa, least;  // bits, and the exponent of the smallest normal number
  };
  const Format format = type == DType::f16 ? Format{10, -14} : type == DType::bf16 ? Format{7, -126} : Format{23, -126};
  const int exponent = value == 0.0 ? format.least : std::max(std::ilogb(value), format.least);
  return std::ldexp(0.5, exponent - format.mantissa);
}

double fraction_of(DType type, double value, const Interval& interval) {
  const double middle = interval.low + (interval.high - interval.low) / 2;
  const double width = (interval.high - interval.low) / 2;
  if (!std::isfinite(value) || rounded(type, middle) == value) return 0.0;
  const double error = std::abs(value - middle) - half_step(type, value);
  if (error <= 0.0) return 0.0;
  return width > 0.0 ? std::min(1.0, error / width) : 1.0;
}

bool same_kind(double actual, double expected) {
  if (std::isnan(expected)) return std::isnan(actual);
  if (std::isinf(expected)) return actual == expected;
  return std::isfinite(actual);
}

Ledger::Row& row_of(const Array& array) {
  require(array.row != nullptr, "this array is no result of a subject");
  return *array.row;
}

void violate(const Array& array, const std::string& message) { Ledger::current().violate(row_of(array), message); }

}  // namespace

double rounded(DType type, double value) {
  double storage = 0.0;
  store_element(type, &storage, 0, value);
  return load_element(type, &storage, 0);
}

void expect_inside(const Array& actual, std::size_t i, const Interval& interval) {
  const Interval stored = flushed(interval);
  const double low = rounded(actual.type(), stored.low);
  const double high = rounded(actual.type(), stored.high);
  const double value = actual[i];
  if ((low <= value && value <= high) || (std::isnan(value) && interval.is_unbounded())) {
    Ledger::accept(row_of(actual), interval.is_unbounded() ? 0.0 : fraction_of(actual.type(), value, interval));
  } else {
    violate(actual, fmt::format("element {} is {}, outside of [{}, {}]", i, value, low, high));
  }
}

void expect_same(const Array& actual, const Array& expected) {
  if (!actual.present()) return;
  const std::size_t size = size_of(actual.type());
  if (actual.count() != expected.count() || actual.type() != expected.type()) {
    return violate(actual, "results of another shape");
  }
  for (std::size_t i = 0; i < actual.count(); ++i) {
    if (std::memcmp(actual.data() + i * size, expected.data() + i * size, size) == 0) {
      Ledger::accept(row_of(actual), 0.0);
    } else {
      violate(actual, fmt::format("element {} is {}, not {}, bit by bit", i, actual[i], expected[i]));
    }
  }
}

void expect_value(const Array& actual, std::size_t i, double expected) {
  const double value = actual[i];
  if (value == expected || (std::isnan(value) && std::isnan(expected))) {
    Ledger::accept(row_of(actual), 0.0);
  } else {
    violate(actual, fmt::format("element {} is {}, not {}", i, value, expected));
  }
}

void expect_same_kinds(const Array& actual, const Array& expected) {
  for (std::size_t i = 0; i < actual.count(); ++i) {
    expect(actual, same_kind(actual[i], expected[i]),
           fmt::format("element {} is {} where the oracle gives {}", i, actual[i], expected[i]));
  }
}

void expect(const Array& actual, bool holds, const std::string& message) {
  if (holds) {
    Ledger::accept(row_of(actual), 0.0);
  } else {
    violate(actual, message);
  }
}

}  // namespace amphora::conformance
