// inspect, unscale, norm and the clips: overflows are found wherever they are, numbers are the oracle's or in bounds.
#include <limits>

#include "conformance/broken.h"
#include "conformance/formulas.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Gradient);

constexpr std::uint32_t kGradientCounts[] = {0, 1, 15, 16, 17, 1000, 16384, 16385, 100003};
constexpr double kInf = std::numeric_limits<double>::infinity();

Arrays scaled(const Array& gradient, float scale) {
  return {gradient, words_of(ScalerState{scale, 3, 1, 0.0f, 5, 2}), words_of(GradientStats{0.0f})};
}

// The gradient times 1 / scale; whether one was not finite; all other state untouched.
void expect_unscaled(const Arrays& arrays, const Arrays& actual) {
  if (actual.empty()) return;
  const auto count = static_cast<std::uint32_t>(arrays[0].count());
  const Arrays expected = run_oracle_as_is(KernelId::unscale, {}, CountParams{count}, arrays);
  expect_same(actual[1], expected[1]);
  expect_same(actual[2], expected[2]);
  if (accuracy().same_bits) return expect_same(actual[0], expected[0]);
  const Interval inverse = Interval::exact(1.0) / Interval::exact(arrays[1][0]);
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isfinite(arrays[0][i])) {
      // A scale of 1 is no arithmetic.
      const Interval value = Interval::exact(arrays[0][i]);
      expect_inside(actual[0], i, arrays[1][0] == 1.0 ? value : value * inverse);
    } else {
      expect_value(actual[0], i, expected[0][i]);
    }
  }
}

TEST_P(Gradient, Small_InspectAndUnscaleMatchTheOracle) {
  for (const std::uint32_t count : kGradientCounts) {
    expect_oracle_bits(KernelId::inspect, {}, CountParams{count}, scaled(random.array(DType::f32, count, 1e3), 4.0f));
  }
  check_unscale(random);
}

TEST_P(Gradient, OneElementThatIsNotFiniteIsFoundAnywhere) { check_a_single_overflow(random); }

TEST_P(Gradient, TheLargestNumbersZerosAndSubnormalsAreFinite) {
  Array gradient(DType::f32, 5);
  const double values[] = {3.4028234663852886e38, -3.4028234663852886e38, -0.0, 0x1p-149, -0x1p-130};
  for (std::size_t i = 0; i < 5; ++i) gradient.set(i, values[i]);
  const Arrays actual = run_subject(KernelId::inspect, {}, CountParams{5}, scaled(gradient, 1.0f));
  if (actual.empty()) return;
  expect_value(actual[1], 3, 0.0);
  expect_value(actual[2], 0, 0.0);
}

// What an f32 sum of |x|^p and its root may be.
Interval norm_bound(const Array& gradient, double start, double p) {
  const auto term = [p](double x) { return p == 2.0 ? x * x : std::pow(std::abs(x), p); };
  const auto count = static_cast<double>(gradient.count());
  double sum = term(start);
  for (std::size_t i = 0; i < gradient.count(); ++i) sum += term(gradient[i]);
  if (sum < 0x1p-150) return Interval::exact(0.0);  // nothing is left of it in f32
  // Each term is a power or a product, and is added with one rounding.
  const double term_error = p == 1.0 ? 0.0 : p == 2.0 ? kUnit : accuracy().power * kUlp;
  const double flushed_terms = accuracy().flushes_subnormals ? (count + 1) * kSmallestNormal : 0.0;
  const Interval total = Interval::around(sum, (count * kUnit + term_error) * sum + flushed_terms).widened(0.0);
  const Interval positive{std::max(total.low, 0.0), total.high};
  if (p == 1.0) return positive;
  return p == 2.0 ? SQRT(positive) : POW(positive, (C(1.0) / C(p)));
}

TEST_P(Gradient, Small_NormIsInBounds) {
  for (const std::uint32_t count : kGradientCounts) {
    for (const float p :
         {1.0f, 2.0f, 3.0f, 0.0f, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      for (const double deviation : {1.0, 1e-30, 1e12}) {
        if (p == 3.0f && deviation != 1.0) continue;
        SCOPED_TRACE(::testing::Message() << count << " elements, p " << p << ", deviation " << deviation);
        Array total(DType::f32, 1);
        total.set(0, std::abs(random.normal(deviation)));
        const Arrays arrays = {random.array(DType::f32, count, deviation), total};
        const Arrays actual = run_subject(KernelId::gradient_norm, {}, GradientNormParams{count, p}, arrays);
        if (actual.empty()) continue;
        const double expected =
            run_oracle_as_is(KernelId::gradient_norm, {}, GradientNormParams{count, p}, arrays)[1][0];
        // The cpu sums in f64: the f32 rounding of the sum and of its root may each fall to a neighbour.
        if (accuracy().f64_tails) {
          expect_inside(actual[1], 0, Interval::exact(expected).widened(2 * kUlp));
        } else if (std::isinf(p) || p == 0.0f) {
          expect_inside(actual[1], 0, p == 0.0f ? Interval::exact(expected).widened(kUnit) : Interval::exact(expected));
        } else {
          expect_inside(actual[1], 0, norm_bound(arrays[0], total[0], p));
        }
      }
    }
  }
}

// 3^2 + 4^2 a hundred times over, joined to 0: sums that are exact in any order.
TEST_P(Gradient, Small_NormsOfSmallIntegersAreExact) {
  for (const std::uint32_t repeats : {1u, 8u, 2048u, 32768u}) {
    Array gradient(DType::f32, 2 * std::size_t{repeats}), total(DType::f32, 1);
    for (std::size_t i = 0; i < gradient.count(); ++i) gradient.set(i, i % 2 == 0 ? 3.0 : -4.0);
    total.set(0, 0.0);
    const auto count = static_cast<std::uint32_t>(gradient.count());
    const Arrays first = run_subject(KernelId::gradient_norm, {}, GradientNormParams{count, 1.0f}, {gradient, total});
    if (!first.empty()) expect_value(first[1], 0, 7.0 * repeats);
    const Arrays second = run_subject(KernelId::gradient_norm, {}, GradientNormParams{count, 2.0f}, {gradient, total});
    if (!second.empty()) expect_inside(second[1], 0, SQRT(Interval::exact(25.0 * repeats)));
  }
}

TEST_P(Gradient, NormOverflowsWhereTheSquaresExceedF32) {
  Array gradient(DType::f32, 2), total(DType::f32, 1);
  gradient.set(0, 1e20);
  gradient.set(1, 1e20);
  total.set(0, 0.0);
  for (const double value : {1e20, static_cast<double>(NAN)}) {
    gradient.set(1, value);
    const Arrays actual = run_subject(KernelId::gradient_norm, {}, GradientNormParams{2, 2.0f}, {gradient, total});
    if (!actual.empty()) expect_value(actual[1], 0, value == 1e20 ? kInf : value);
  }
}

TEST_P(Gradient, Small_ClipsMatchTheOracle) {
  for (const std::uint32_t count : kGradientCounts) {
    Array gradient = random.array(DType::f32, count, 3.0);
    if (count > 20) gradient.set(3, std::nan("")), gradient.set(19, -kInf);
    for (const double norm : {0.5, 1.0, 5.0, kInf, static_cast<double>(std::nanf(""))}) {
      Array total(DType::f32, 1);
      total.set(0, norm);
      const Arrays actual = run_subject(KernelId::clip_norm, {}, ClipParams{count, 1.0f}, {gradient, total});
      if (actual.empty()) continue;
      const Array expected = run_oracle_as_is(KernelId::clip_norm, {}, ClipParams{count, 1.0f}, {gradient, total})[0];
      const Interval ratio = C(1.0) / (Interval::exact(norm) + C(1e-6f)) * C(1.0);
      const Interval factor = SELECT(LESS(C(1.0), ratio), C(1.0), ratio);
      for (std::size_t i = 0; i < count; ++i) {
        const bool bounded = std::isfinite(norm) && std::isfinite(gradient[i]);
        if (accuracy().same_bits || !bounded) {
          expect_value(actual[0], i, expected[i]);
        } else {
          expect_inside(actual[0], i, Interval::exact(gradient[i]) * factor);
        }
      }
    }
    for (const float limit : {0.0f, 1.0f, 2.5f}) {
      const Arrays actual = run_subject(KernelId::clip_value, {}, ClipParams{count, limit}, {gradient});
      const Arrays expected = run_oracle_as_is(KernelId::clip_value, {}, ClipParams{count, limit}, {gradient});
      for (std::size_t i = 0; !actual.empty() && i < count; ++i) expect_value(actual[0], i, expected[0][i]);
      if (!actual.empty() && accuracy().same_bits) expect_same(actual[0], expected[0]);
    }
  }
}

TEST_P(Gradient, BitsAreRepeatable) {
  const std::uint32_t count = 300001;
  Array total(DType::f32, 1);
  total.set(0, 0.25);
  const Array gradient = random.array(DType::f32, count);
  for (const float p : {1.0f, 2.0f}) {
    expect_repeatable(KernelId::gradient_norm, {}, GradientNormParams{count, p}, {gradient, total});
  }
  expect_repeatable(KernelId::unscale, {}, CountParams{count}, scaled(gradient, 3.0f));
}

}  // namespace

void check_unscale(Random& random) {
  for (const std::uint32_t count : kGradientCounts) {
    for (const float scale : {1.0f, 65536.0f, 3.0f, 0x1p-10f, 0x1p-127f}) {
      const Arrays arrays = scaled(random.array(DType::f32, count, 1000.0), scale);
      expect_unscaled(arrays, run_subject(KernelId::unscale, {}, CountParams{count}, arrays));
    }
  }
}

void check_a_single_overflow(Random& random) {
  constexpr std::uint32_t kCount = 40000;
  for (const double bad : {kInf, -kInf, std::nan("")}) {
    for (int repetition = 0; repetition < 10; ++repetition) {
      Array gradient = random.array(DType::f32, kCount);
      // The ends, then anywhere.
      const std::int64_t at = repetition == 0 ? 0 : repetition == 1 ? kCount - 1 : random.below(kCount);
      gradient.set(static_cast<std::size_t>(at), bad);
      const Arrays arrays = scaled(gradient, 4.0f);
      const Arrays inspected = run_subject(KernelId::inspect, {}, CountParams{kCount}, arrays);
      if (!inspected.empty()) {
        expect_value(inspected[1], 3, 1.0);
        expect_value(inspected[2], 0, 1.0);
      }
      expect_unscaled(arrays, run_subject(KernelId::unscale, {}, CountParams{kCount}, arrays));
    }
  }
}

}  // namespace amphora::conformance
