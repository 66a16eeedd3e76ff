// Which operands each derivative of pointwise.def reads; the others are neither loaded nor saved.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace amphora {

// Whether an expression of pointwise.def names a variable.
constexpr bool mentions(std::string_view expression, char variable) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const bool starts = i == 0 || !is_word(expression[i - 1]);
    const bool ends = i + 1 == expression.size() || !is_word(expression[i + 1]);
    if (expression[i] == variable && starts && ends) return true;
  }
  return false;
}

using DerivativeReads = std::array<bool, 2>;  // at the first and the second operand

// At x and y.
inline constexpr DerivativeReads kUnaryReads[] = {
#define AM_UNARY(name, forward, derivative) {mentions(#derivative, 'x'), mentions(#derivative, 'y')},
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};

// At a and b: of a's derivative, and of b's.
inline constexpr std::array<DerivativeReads, 2> kBinaryReads[] = {
#define AM_BINARY(name, forward, da, db) \
  {DerivativeReads{mentions(#da, 'a'), mentions(#da, 'b')}, DerivativeReads{mentions(#db, 'a'), mentions(#db, 'b')}},
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
};

}  // namespace amphora
