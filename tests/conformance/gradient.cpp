// inspect, unscale, norm and the clips give the oracle's numbers.
#include <cstring>
#include <limits>
#include <vector>

#include "conformance/interval.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Gradient);

constexpr std::uint32_t kCounts[] = {0, 1, 15, 16, 17, 1000, 16384, 16385, 100003};
constexpr double kInf = std::numeric_limits<double>::infinity();

// Device state as an array of 32-bit words.
template <class State>
Array words_of(const State& state) {
  Array array(DType::f32, sizeof(State) / 4);
  std::memcpy(array.data(), &state, sizeof(State));
  return array;
}

template <class Params>
void expect_equal(KernelId kernel, const Params& params, const std::vector<Array>& arrays) {
  const auto expected = run_oracle_as_is(kernel, {}, params, arrays);
  const auto actual = run_simd(kernel, {}, params, arrays);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    EXPECT_TRUE(actual[i].same_bytes(expected[i])) << name_of(kernel) << ", buffer " << i;
  }
}

std::vector<Array> scaled(const Array& gradient, float scale) {
  return {gradient, words_of(ScalerState{scale, 3, 1, 0.0f, 5, 2}), words_of(GradientStats{0.0f})};
}

TEST_P(Gradient, inspect_and_unscale_match_the_oracle) {
  for (const std::uint32_t count : kCounts) {
    for (const float scale : {1.0f, 65536.0f, 3.0f, 0x1p-10f, 0x1p-127f}) {
      const Array gradient = random.array(DType::f32, count, 1000.0);
      expect_equal(KernelId::inspect, CountParams{count}, scaled(gradient, scale));
      expect_equal(KernelId::unscale, CountParams{count}, scaled(gradient, scale));
    }
  }
}

TEST_P(Gradient, one_element_that_is_not_finite_is_found_anywhere) {
  const std::uint32_t count = 40000;
  for (const double bad : {kInf, -kInf, std::nan("")}) {
    for (int repetition = 0; repetition < 10; ++repetition) {
      Array gradient = random.array(DType::f32, count);
      gradient.set(static_cast<std::size_t>(random.below(count)), bad);
      const auto inspected = run_simd(KernelId::inspect, {}, CountParams{count}, scaled(gradient, 4.0f));
      EXPECT_EQ(inspected[1][3], 1.0);
      EXPECT_EQ(inspected[2][0], 1.0);
      EXPECT_TRUE(inspected[0].same_bytes(gradient));
      expect_equal(KernelId::unscale, CountParams{count}, scaled(gradient, 4.0f));
    }
  }
}

TEST_P(Gradient, the_largest_numbers_zeros_and_subnormals_are_finite) {
  Array gradient(DType::f32, 5);
  const double values[] = {3.4028234663852886e38, -3.4028234663852886e38, -0.0, 0x1p-149, -0x1p-130};
  for (std::size_t i = 0; i < 5; ++i) gradient.set(i, values[i]);
  const auto actual = run_simd(KernelId::inspect, {}, CountParams{5}, scaled(gradient, 1.0f));
  EXPECT_EQ(actual[1][3], 0.0);
  EXPECT_EQ(actual[2][0], 0.0);
}

TEST_P(Gradient, norm_is_in_bounds) {
  for (const std::uint32_t count : kCounts) {
    for (const float p : {1.0f, 2.0f, 3.0f, 0.0f, std::numeric_limits<float>::infinity()}) {
      for (const double deviation : {1.0, 1e-30, 1e12}) {
        if (p == 3.0f && deviation != 1.0) continue;
        SCOPED_TRACE(testing::Message() << count << " elements, p " << p << ", deviation " << deviation);
        Array total(DType::f32, 1);
        total.set(0, std::abs(random.normal(deviation)));
        const std::vector<Array> arrays = {random.array(DType::f32, count, deviation), total};
        const auto expected = run_oracle_as_is(KernelId::norm, {}, NormParams{count, p}, arrays);
        const auto actual = run_simd(KernelId::norm, {}, NormParams{count, p}, arrays);
        // f64 sums in another order: the f32 rounding of the sum and of its root may each fall to a neighbour.
        expect_inside(actual[1], 0, Interval::exact(expected[1][0]).widened(2 * kUlp));
      }
    }
  }
}

TEST_P(Gradient, norm_overflows_where_the_squares_exceed_f32) {
  Array gradient(DType::f32, 2), total(DType::f32, 1);
  gradient.set(0, 1e20);
  gradient.set(1, 1e20);
  total.set(0, 0.0);
  EXPECT_EQ(run_simd(KernelId::norm, {}, NormParams{2, 2.0f}, {gradient, total})[1][0], kInf);
  gradient.set(1, std::nan(""));
  EXPECT_TRUE(std::isnan(run_simd(KernelId::norm, {}, NormParams{2, 2.0f}, {gradient, total})[1][0]));
}

TEST_P(Gradient, clips_match_the_oracle) {
  for (const std::uint32_t count : kCounts) {
    Array gradient = random.array(DType::f32, count, 3.0);
    if (count > 20) gradient.set(3, std::nan("")), gradient.set(19, -kInf);
    for (const double norm : {0.5, 1.0, 5.0, kInf, static_cast<double>(std::nanf(""))}) {
      Array total(DType::f32, 1);
      total.set(0, norm);
      const auto expected = run_oracle_as_is(KernelId::clip_norm, {}, ClipParams{count, 1.0f}, {gradient, total});
      const auto actual = run_simd(KernelId::clip_norm, {}, ClipParams{count, 1.0f}, {gradient, total});
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_TRUE(same_kind(actual[0][i], expected[0][i])) << i;
        EXPECT_TRUE(actual[0][i] == expected[0][i] || std::isnan(expected[0][i])) << i;
      }
    }
    for (const float limit : {0.0f, 1.0f, 2.5f})
      expect_equal(KernelId::clip_value, ClipParams{count, limit}, {gradient});
  }
}

TEST_P(Gradient, bits_do_not_depend_on_the_number_of_threads) {
  const std::uint32_t count = 300001;
  Array total(DType::f32, 1);
  total.set(0, 0.25);
  const Array gradient = random.array(DType::f32, count);
  for (const float p : {1.0f, 2.0f}) {
    expect_thread_independence(KernelId::norm, {}, NormParams{count, p}, {gradient, total});
  }
  expect_thread_independence(KernelId::unscale, {}, CountParams{count}, scaled(gradient, 3.0f));
}

}  // namespace
}  // namespace amphora::conformance
