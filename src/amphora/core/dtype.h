// Element types and the exact conversions between them.
//
// Every narrowing conversion rounds to nearest, ties to even (IEEE 754 roundTiesToEven), subnormals included;
// overflow gives infinity and a NaN stays a NaN. These functions are the definition that every backend is held to.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace amphora {

enum class DType : std::uint8_t { f32, f16, bf16, i32, f64 };

inline constexpr DType kAllDTypes[] = {DType::f32, DType::f16, DType::bf16, DType::i32, DType::f64};

constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f16:
    case DType::bf16: return 2;
    case DType::f64: return 8;
    case DType::f32:
    case DType::i32: return 4;
  }
  return 0;
}

constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32: return "f32";
    case DType::f16: return "f16";
    case DType::bf16: return "bf16";
    case DType::i32: return "i32";
    case DType::f64: return "f64";
  }
  return "?";
}

constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (DType type : kAllDTypes) {
    if (name_of(type) == name) return type;
  }
  return std::nullopt;
}

constexpr bool is_floating(DType type) { return type != DType::i32; }
constexpr bool is_16bit(DType type) { return type == DType::f16 || type == DType::bf16; }

// A training precision: the type of products. tf32 stores f32 and rounds the products' operands.
enum class Precision : std::uint8_t { f32, tf32, f16, bf16 };

constexpr std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::f32: return "f32";
    case Precision::tf32: return "tf32";
    case Precision::f16: return "f16";
    case Precision::bf16: return "bf16";
  }
  return "?";
}

// Bit patterns with a type: storage formats without arithmetic.
struct F16 {
  std::uint16_t bits;
  bool operator==(const F16&) const = default;
};
struct BF16 {
  std::uint16_t bits;
  bool operator==(const BF16&) const = default;
};

namespace detail {

// Rounds a double to a binary format of `mantissa_bits` and minimum normal exponent `min_exponent`, in one rounding.
// Rounding f64 -> f32 -> f16 would round twice, so both 16-bit types start from the double (exact for f32 input).
template <int kMantissaBits, int kExponentBits>
constexpr std::uint16_t round_to_16bit(double value) {
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr std::uint16_t kInfinity = ((1u << kExponentBits) - 1) << kMantissaBits;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 63) << 15);
  const std::uint64_t magnitude = bits & 0x7FFF'FFFF'FFFF'FFFFull;
  const int exponent = static_cast<int>(magnitude >> 52) - 1023;
  const std::uint64_t fraction = magnitude & 0xF'FFFF'FFFF'FFFFull;
  if (exponent == 1024) {
    if (fraction == 0) return static_cast<std::uint16_t>(sign | kInfinity);
    // Keep the payload's top bits and set the quiet bit, as hardware conversions do.
    const auto payload = static_cast<std::uint16_t>(fraction >> (52 - kMantissaBits));
    return static_cast<std::uint16_t>(sign | kInfinity | payload | (1u << (kMantissaBits - 1)));
  }
  if (exponent < -kBias - kMantissaBits) return sign;  // below half of the smallest subnormal
  const std::uint64_t significand = fraction | (1ull << 52);
  const bool subnormal = exponent < 1 - kBias;
  const int shift = 52 - kMantissaBits + (subnormal ? 1 - kBias - exponent : 0);
  const std::uint64_t half = 1ull << (shift - 1);
  const std::uint64_t remainder = significand & ((1ull << shift) - 1);
  std::uint64_t rounded = significand >> shift;
  if (remainder > half || (remainder == half && (rounded & 1))) ++rounded;
  // A carry out of the mantissa increments the exponent, which is the right result, up to infinity.
  const std::uint64_t biased = subnormal ? 0 : static_cast<std::uint64_t>(exponent + kBias - 1);
  const std::uint64_t result = (biased << kMantissaBits) + rounded;
  return static_cast<std::uint16_t>(sign | (result >= kInfinity ? kInfinity : result));
}

}  // namespace detail

constexpr F16 to_f16(double value) { return {detail::round_to_16bit<10, 5>(value)}; }
constexpr BF16 to_bf16(double value) { return {detail::round_to_16bit<7, 8>(value)}; }

constexpr float to_f32(BF16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }
constexpr float to_f32(F16 value) {
  const std::uint32_t sign = static_cast<std::uint32_t>(value.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1Fu;
  const std::uint32_t fraction = value.bits & 0x3FFu;
  if (exponent == 31) {
    const std::uint32_t quiet = fraction != 0 ? 0x400000u : 0u;
    return std::bit_cast<float>(sign | 0x7F800000u | quiet | (fraction << 13));
  }
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // exact
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

// load<T> and store<T> move one element of type T through double; the scalar oracle is written with them alone.
template <class T>
constexpr double load_element(const T& element) {
  if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>) {
    return to_f32(element);
  } else {
    return static_cast<double>(element);
  }
}

template <class T>
constexpr T round_element(double value) {
  if constexpr (std::is_same_v<T, F16>) {
    return to_f16(value);
  } else if constexpr (std::is_same_v<T, BF16>) {
    return to_bf16(value);
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    // Saturates, and NaN becomes 0, so that the conversion is defined for every input.
    if (!(value == value)) return 0;
    if (value >= 2147483647.0) return 2147483647;
    if (value <= -2147483648.0) return -2147483647 - 1;
    return static_cast<std::int32_t>(value);
  } else {
    return static_cast<T>(value);
  }
}

// Reads or writes element `index` of an untyped array.
double load_element(DType type, const void* data, std::size_t index);
void store_element(DType type, void* data, std::size_t index, double value);

// Type promotion of two operands that both have dimensions: the wider floating type; f16 with bf16 gives f32; a
// floating type wins over i32. (PyTorch's rule.)
constexpr DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::i32) return b;
  if (b == DType::i32) return a;
  if (a == DType::f64 || b == DType::f64) return DType::f64;
  return DType::f32;
}

// Calls `visitor.template operator()<T>()` with the C++ storage type of `type`.
template <class Visitor>
decltype(auto) visit_dtype(DType type, Visitor&& visitor) {
  switch (type) {
    case DType::f32: return visitor.template operator()<float>();
    case DType::f16: return visitor.template operator()<F16>();
    case DType::bf16: return visitor.template operator()<BF16>();
    case DType::i32: return visitor.template operator()<std::int32_t>();
    case DType::f64: return visitor.template operator()<double>();
  }
  __builtin_unreachable();  // the switch has every type
}

}  // namespace amphora
