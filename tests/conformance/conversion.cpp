// Conversions between f32, f16 and bf16 give the bits of core/dtype.h, on every instruction set.
#include <bit>
#include <vector>

#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Conversion);

std::vector<Array> cast(const Array& in, DType type) {
  Spec spec;
  spec.types = {in.type(), type};
  const auto count = static_cast<std::uint32_t>(in.count());
  return run_simd(KernelId::cast, spec, CountParams{count}, {in, Array(type, count)});
}

template <class T>
void expect_exact_narrowing(const Array& in, DType type) {
  const std::vector<Array> results = cast(in, type);
  const auto* values = reinterpret_cast<const float*>(in.data());
  const auto* actual = reinterpret_cast<const T*>(results[1].data());
  std::size_t failures = 0;
  for (std::size_t i = 0; i < in.count(); ++i) {
    const T expected = round_element<T>(values[i]);
    if (expected != actual[i] && ++failures < 5) {
      ADD_FAILURE() << std::hex << std::bit_cast<std::uint32_t>(values[i]) << " gives " << actual[i].bits << ", not "
                    << expected.bits;
    }
  }
  EXPECT_EQ(failures, 0u);
}

template <class T>
void expect_exact_widening(DType type) {
  Array in(type, 65536);
  auto* patterns = reinterpret_cast<std::uint16_t*>(in.data());
  for (std::size_t i = 0; i < in.count(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
  const std::vector<Array> results = cast(in, DType::f32);
  const auto* actual = reinterpret_cast<const std::uint32_t*>(results[1].data());
  std::size_t failures = 0;
  for (std::size_t i = 0; i < in.count(); ++i) {
    const auto expected = std::bit_cast<std::uint32_t>(to_f32(T{patterns[i]}));
    if (expected != actual[i] && ++failures < 5) {
      ADD_FAILURE() << std::hex << patterns[i] << " gives " << actual[i] << ", not " << expected;
    }
  }
  EXPECT_EQ(failures, 0u);
}

TEST_P(Conversion, widens_all_65536_patterns_of_f16) { expect_exact_widening<F16>(DType::f16); }
TEST_P(Conversion, widens_all_65536_patterns_of_bf16) { expect_exact_widening<BF16>(DType::bf16); }

TEST_P(Conversion, narrows_random_f32_patterns) {
  Array in(DType::f32, 1 << 18);
  auto* bits = reinterpret_cast<std::uint32_t*>(in.data());
  for (std::size_t i = 0; i < in.count(); ++i) {
    bits[i] = random.bits();
    // A third lies in the range of f16, a third close to a tie.
    if (i % 3 == 1) bits[i] = (bits[i] & 0x8FFF'FFFFu) | 0x3000'0000u;
    if (i % 3 == 2) bits[i] &= 0xFFFF'F001u;
  }
  expect_exact_narrowing<F16>(in, DType::f16);
  expect_exact_narrowing<BF16>(in, DType::bf16);
}

// Every pattern of either 16-bit type, and the three f32 around each midpoint to its neighbour.
TEST_P(Conversion, narrows_every_pattern_and_every_tie) {
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
    if (type == DType::f16) {
      expect_exact_narrowing<F16>(in, type);
    } else {
      expect_exact_narrowing<BF16>(in, type);
    }
  }
}

TEST_P(Conversion, narrows_every_tie_of_the_subnormals) {
  Array f16(DType::f32, 3 * 1024), bf16(DType::f32, 3 * 128);
  for (std::size_t i = 0; i < f16.count(); ++i) {
    const std::size_t below = i / 3;
    const double tie = (static_cast<double>(below) + 0.5) * 0x1p-24;
    f16.set(i, tie * (1.0 + (static_cast<double>(i % 3) - 1.0) * 0x1p-23));
  }
  for (std::size_t i = 0; i < bf16.count(); ++i) {
    reinterpret_cast<std::uint32_t*>(bf16.data())[i] = static_cast<std::uint32_t>((i / 3 << 16) + 0x7FFF + i % 3);
  }
  expect_exact_narrowing<F16>(f16, DType::f16);
  expect_exact_narrowing<BF16>(bf16, DType::bf16);
}

TEST_P(Conversion, converts_between_the_16_bit_types_through_f32) {
  for (const DType from : {DType::f16, DType::bf16}) {
    const DType to = from == DType::f16 ? DType::bf16 : DType::f16;
    for (const std::size_t count : {1, 7, 16, 33, 1024, 5000}) {
      const Array in = random.array(from, count);
      EXPECT_TRUE(cast(in, to)[1].same_bytes(in.as(to)));
      EXPECT_TRUE(cast(in, from)[1].same_bytes(in));
    }
  }
}

}  // namespace
}  // namespace amphora::conformance
