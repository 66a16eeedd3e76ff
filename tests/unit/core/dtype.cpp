// Element types and their conversions, against a nearest neighbour search in the sorted list of all 16-bit values.
#include "amphora/core/dtype.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

template <class T>
T from_bits(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(bits)};
}
template <class T>
T narrow(double value) {
  return round_element<T>(value);
}

// Rounds by search: all finite values of type T from 0 up, and the first that would follow the largest.
template <class T>
class Nearest {
 public:
  Nearest() {
    for (std::uint32_t bits = 0; bits < 0x8000; ++bits) {
      const double value = to_f32(from_bits<T>(bits));
      if (!std::isfinite(value)) break;
      values_.push_back(value);
    }
    values_.push_back(2 * values_.back() - values_[values_.size() - 2]);  // stands for infinity
  }

  // The bits of a number's magnitude. The midpoint of neighbours has one bit more than they have: exact in f64.
  std::uint16_t operator()(double magnitude) const {
    if (magnitude >= values_.back()) return infinity();
    const auto above =
        static_cast<std::size_t>(std::upper_bound(values_.begin(), values_.end(), magnitude) - values_.begin());
    const std::size_t below = above - 1;
    const double midpoint = (values_[below] + values_[above]) / 2;
    const bool up = magnitude > midpoint || (magnitude == midpoint && below % 2 == 1);
    return static_cast<std::uint16_t>(up ? above : below);
  }
  std::uint16_t infinity() const { return static_cast<std::uint16_t>(values_.size() - 1); }
  std::size_t count() const { return values_.size(); }
  double operator[](std::size_t i) const { return values_[i]; }

 private:
  std::vector<double> values_;
};

template <class T>
class Narrowing : public ::testing::Test {
 protected:
  void expect_rounded(double value) {
    const std::uint16_t got = narrow<T>(value).bits;
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(to_f32(T{got})));
      return;
    }
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    ASSERT_EQ(got, nearest_(std::abs(value)) | sign) << fmt::format("{} = {:a}", value, value);
  }

  Nearest<T> nearest_;
};

class Named {
 public:
  template <class T>
  static std::string GetName(int /*index*/) {  // NOLINT(readability-identifier-naming): GoogleTest's name
    return std::is_same_v<T, F16> ? "f16" : "bf16";
  }
};
using LowTypes = ::testing::Types<F16, BF16>;
TYPED_TEST_SUITE(Narrowing, LowTypes, Named);

TYPED_TEST(Narrowing, EveryPatternSurvivesTheWayThroughF32) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto element = from_bits<TypeParam>(bits);
    const float wide = to_f32(element);
    const std::uint16_t back = narrow<TypeParam>(wide).bits;
    if (std::isnan(wide)) {
      // A NaN comes back quiet, with its sign and payload.
      const std::uint16_t quiet = std::is_same_v<TypeParam, F16> ? 0x200 : 0x40;
      ASSERT_EQ(back, bits | quiet);
    } else {
      ASSERT_EQ(back, bits);
    }
  }
}

TYPED_TEST(Narrowing, TheValuesAreThoseOfTheFormat) {
  constexpr bool kHalf = std::is_same_v<TypeParam, F16>;
  EXPECT_EQ(this->nearest_.count(), kHalf ? 0x7C01u : 0x7F81u);
  EXPECT_EQ(this->nearest_[1], kHalf ? 0x1p-24 : 0x1p-133);
  EXPECT_EQ(this->nearest_[kHalf ? 0x400 : 0x80], kHalf ? 0x1p-14 : 0x1p-126);
  EXPECT_EQ(this->nearest_[this->nearest_.count() - 2], kHalf ? 65504.0 : 0x1.FEp127);
  EXPECT_EQ(to_f32(from_bits<TypeParam>(kHalf ? 0x3C00 : 0x3F80)), 1.0f);
  for (std::size_t i = 1; i < this->nearest_.count(); ++i) ASSERT_LT(this->nearest_[i - 1], this->nearest_[i]);
}

TYPED_TEST(Narrowing, RandomF32BitsRoundToTheNearest) {
  Random random;
  for (int i = 0; i < 2'000'000; ++i) this->expect_rounded(std::bit_cast<float>(random.bits()));
}

TYPED_TEST(Narrowing, RandomF64BitsRoundOnce) {
  Random random;
  for (int i = 0; i < 500'000; ++i) {
    const std::uint64_t bits = random.bits64();
    this->expect_rounded(std::bit_cast<double>(bits));
    // Exponents inside the format's range, where rounding has something to decide.
    const std::uint64_t exponent = 1023 - 140 + bits % 280;
    this->expect_rounded(std::bit_cast<double>((bits & 0x800F'FFFF'FFFF'FFFFull) | exponent << 52));
  }
}

TYPED_TEST(Narrowing, MidpointsGoToEvenAndTheirNeighboursDoNot) {
  for (std::size_t i = 0; i + 1 < this->nearest_.count(); ++i) {
    const double midpoint = (this->nearest_[i] + this->nearest_[i + 1]) / 2;
    for (const double sign : {1.0, -1.0}) {
      this->expect_rounded(sign * midpoint);
      this->expect_rounded(sign * std::nextafter(midpoint, 0.0));
      this->expect_rounded(sign * std::nextafter(midpoint, kInf));
      this->expect_rounded(sign * this->nearest_[i]);
    }
  }
}

TYPED_TEST(Narrowing, SpecialValues) {
  for (const double value : {0.0, -0.0, kInf, -kInf, kNan, 1e300, -1e300, 0x1p-1074, 1e-300}) {
    this->expect_rounded(value);
  }
}

TEST(DType, NarrowingF64DoesNotRoundTwice) {
  // Through f32 the last bit would be lost, and the tie that remains goes down to 1.
  EXPECT_EQ(to_f32(to_f16(1 + 0x1p-11 + 0x1p-40)), 1 + 0x1p-10f);
  EXPECT_EQ(to_f32(to_bf16(1 + 0x1p-8 + 0x1p-40)), 1 + 0x1p-7f);
}

TEST(DType, IntegersSaturate) {
  EXPECT_EQ(round_element<std::int32_t>(3e9), 2147483647);
  EXPECT_EQ(round_element<std::int32_t>(-3e9), -2147483647 - 1);
  EXPECT_EQ(round_element<std::int32_t>(kNan), 0);
  EXPECT_EQ(round_element<std::int32_t>(-2.75), -2);
  EXPECT_EQ(round_element<std::int32_t>(kInf), 2147483647);
}

TEST(DType, ElementsAreReadAndWrittenByType) {
  for (const DType type : kAllDTypes) {
    std::array<std::byte, 32> memory{};
    store_element(type, memory.data(), 2, -7.0);
    EXPECT_EQ(load_element(type, memory.data(), 2), -7.0) << name_of(type);
    EXPECT_EQ(load_element(type, memory.data(), 1), 0.0) << name_of(type);
    EXPECT_EQ(visit_dtype(type, []<class T>() { return sizeof(T); }), size_of(type));
  }
}

TEST(DType, NamesRoundTrip) {
  for (const DType type : kAllDTypes) EXPECT_EQ(dtype_from_name(name_of(type)), type);
  EXPECT_EQ(dtype_from_name("f8"), std::nullopt);
}

TEST(DType, PromotionIsSymmetricAndTakesTheWider) {
  for (const DType a : kAllDTypes) {
    EXPECT_EQ(promote(a, a), a);
    for (const DType b : kAllDTypes) EXPECT_EQ(promote(a, b), promote(b, a));
  }
  EXPECT_EQ(promote(DType::f16, DType::bf16), DType::f32);
  EXPECT_EQ(promote(DType::f16, DType::f32), DType::f32);
  EXPECT_EQ(promote(DType::bf16, DType::f64), DType::f64);
  EXPECT_EQ(promote(DType::i32, DType::f16), DType::f16);
}

}  // namespace
}  // namespace amphora::testing
