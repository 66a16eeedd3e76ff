// The checks: each adds what it finds to the ledger's row of the call that gave the array.
#pragma once

#include <cmath>
#include <string>

#include "conformance/array.h"
#include "conformance/interval.h"

namespace amphora::conformance {

double rounded(DType type, double value);

// Expects element `i` to be what storing a number of `interval` can give. How much of the bound it takes is measured
// before the store: the smallest error that the store would still round to this value.
void expect_inside(const Array& actual, std::size_t i, const Interval& interval);

// Expects the bits of `expected`, element by element.
void expect_same(const Array& actual, const Array& expected);

// Expects element `i` to equal `expected`, zeros of either sign alike; NaN equals NaN.
void expect_value(const Array& actual, std::size_t i, double expected);

// Where the true result is infinite or NaN, bounds mean nothing: the results must be of the same kind.
void expect_same_kinds(const Array& actual, const Array& expected);

// For what has no number: notes a value that is right, or the violation.
void expect(const Array& actual, bool holds, const std::string& message);

}  // namespace amphora::conformance
