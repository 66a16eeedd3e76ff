// Conversions give the bits of core/dtype.h, on every subject.
#include <bit>
#include <limits>

#include <fmt/format.h>

#include "conformance/broken.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Conversion);

Arrays cast(const Array& in, DType type) {
  Spec spec;
  spec.types = {in.type(), type};
  const auto count = static_cast<std::uint32_t>(in.count());
  return run_subject(KernelId::cast, spec, CountParams{count}, {in, Array(type, count)});
}

// Expects the bits that `convert` makes of each element's bits.
template <class In, class Out, class Convert>
void expect_bits(const Array& in, const Arrays& results, Convert convert) {
  if (results.empty()) return;
  const auto* patterns = reinterpret_cast<const In*>(in.data());
  const auto* actual = reinterpret_cast<const Out*>(results[1].data());
  for (std::size_t i = 0; i < in.count(); ++i) {
    const Out expected = convert(patterns[i]);
    if (expected == actual[i]) {
      Ledger::accept(*results[1].row, 0.0);
    } else {
      expect(results[1], false, fmt::format("{:#x} gives {:#x}, not {:#x}", patterns[i], actual[i], expected));
    }
  }
}

void expect_exact_narrowing(const Array& in, DType type) {
  expect_bits<std::uint32_t, std::uint16_t>(in, cast(in, type), [type](std::uint32_t bits) {
    const auto value = std::bit_cast<float>(bits);
    return type == DType::f16 ? to_f16(value).bits : to_bf16(value).bits;
  });
}

void expect_exact_widening(DType type) {
  Array in(type, 65536);
  auto* patterns = reinterpret_cast<std::uint16_t*>(in.data());
  for (std::size_t i = 0; i < in.count(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
  expect_bits<std::uint16_t, std::uint32_t>(in, cast(in, DType::f32), [type](std::uint16_t bits) {
    return std::bit_cast<std::uint32_t>(type == DType::f16 ? to_f32(F16{bits}) : to_f32(BF16{bits}));
  });
}

TEST_P(Conversion, WidensAll65536PatternsOfF16) { expect_exact_widening(DType::f16); }
TEST_P(Conversion, WidensAll65536PatternsOfBf16) { expect_exact_widening(DType::bf16); }
TEST_P(Conversion, NarrowsFourMillionRandomF32Patterns) { check_narrowing(random, 1 << 22); }

// Every pattern of either 16-bit type, and the three f32 around each midpoint to its neighbour.
TEST_P(Conversion, NarrowsEveryPatternAndEveryTie) {
  for (const DType type : {DType::f16, DType::bf16}) {
    Array in(DType::f32, 4 * 65536);
    auto* bits = reinterpret_cast<std::uint32_t*>(in.data());
    for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
      const auto half = static_cast<std::uint16_t>(pattern);
      const float value = type == DType::f16 ? to_f32(F16{half}) : to_f32(BF16{half});
      const auto exact = std::bit_cast<std::uint32_t>(value);
      const std::uint32_t midpoint = exact + (type == DType::f16 ? 0x1000u : 0x8000u);
      bits[4 * pattern] = exact;
      for (std::uint32_t k = 0; k < 3; ++k) bits[4 * pattern + 1 + k] = midpoint - 1 + k;
    }
    expect_exact_narrowing(in, type);
  }
}

TEST_P(Conversion, NarrowsEveryTieOfTheSubnormals) {
  Array f16(DType::f32, 3 * 1024), bf16(DType::f32, 3 * 128);
  for (std::size_t i = 0; i < f16.count(); ++i) {
    const std::size_t below = i / 3;
    const double tie = (static_cast<double>(below) + 0.5) * 0x1p-24;
    f16.set(i, tie * (1.0 + (static_cast<double>(i % 3) - 1.0) * 0x1p-23));
  }
  for (std::size_t i = 0; i < bf16.count(); ++i) {
    reinterpret_cast<std::uint32_t*>(bf16.data())[i] = static_cast<std::uint32_t>((i / 3 << 16) + 0x7FFF + i % 3);
  }
  expect_exact_narrowing(f16, DType::f16);
  expect_exact_narrowing(bf16, DType::bf16);
}

TEST_P(Conversion, ConvertsBetweenThe16BitTypesThroughF32) {
  for (const DType from : {DType::f16, DType::bf16}) {
    for (const DType to : {DType::f16, DType::bf16}) {
      for (const std::size_t count : {1, 7, 16, 33, 1024, 5000}) {
        const Array in = random.array(from, count);
        const Arrays results = cast(in, to);
        if (!results.empty()) expect_same(results[1], in.as(to));
      }
    }
  }
}

TEST_P(Conversion, IntegersSaturateAndRoundOnce) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  constexpr double kEdges[] = {0.0,  -0.0,         0.5,           -0.5, 1.5,   -1.99, 3e9,
                               -3e9, 2147483520.0, -2147483648.0, kInf, -kInf, NAN};
  Array numbers = random.array(DType::f32, 1000, 1e5);
  for (std::size_t i = 0; i < std::size(kEdges); ++i) numbers.set(i, kEdges[i]);
  for (const DType from : kFloats) {
    const Array in = numbers.as(from);
    const Arrays results = cast(in, DType::i32);
    if (!results.empty()) expect_same(results[1], in.as(DType::i32));
  }
  Array integers(DType::i32, 1000);
  for (std::size_t i = 0; i < 1000; ++i) {
    reinterpret_cast<std::uint32_t*>(integers.data())[i] = random.bits() >> random.below(31);
  }
  for (const DType to : kFloats) {
    // Past 24 bits a number is rounded to f32 first, and then to 16 bits.
    for (std::size_t i = 0; to != DType::f32 && i < 1000; ++i) {
      integers.set(i, static_cast<double>(static_cast<std::int32_t>(integers[i]) % (1 << 24)));
    }
    const Arrays results = cast(integers, to);
    if (!results.empty()) expect_same(results[1], integers.as(to));
  }
}

}  // namespace

void check_narrowing(Random& random, std::size_t count) {
  Array in(DType::f32, count);
  auto* bits = reinterpret_cast<std::uint32_t*>(in.data());
  for (std::size_t i = 0; i < in.count(); ++i) {
    bits[i] = random.bits();
    // A third lies in the range of f16, a third close to a tie.
    if (i % 3 == 1) bits[i] = (bits[i] & 0x8FFF'FFFFu) | 0x3000'0000u;
    if (i % 3 == 2) bits[i] &= 0xFFFF'F001u;
  }
  expect_exact_narrowing(in, DType::f16);
  expect_exact_narrowing(in, DType::bf16);
}

}  // namespace amphora::conformance
