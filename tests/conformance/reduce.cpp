// reduce stays within the error of a sum in f32; extrema are exact.
#include <cmath>
#include <limits>

#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Reduce);

constexpr Reduction kReductions[] = {Reduction::sum, Reduction::max, Reduction::min};

struct Extents {
  std::uint32_t outer, extent, inner;
};
constexpr Extents kExtents[] = {{1, 1, 1},    {1, 128, 512}, {3, 17, 1},    {70, 1, 5},  {5, 130, 10},
                                {1, 1100, 3}, {2, 9, 100},   {1, 70001, 1}, {40, 33, 1}, {1, 100, 1001},
                                {3, 0, 4},    {1, 2, 70000}, {2, 600, 72},  {2, 2100, 3}};

Arrays arrays_of(Random& random, const Extents& extents, DType in, DType out) {
  const std::size_t lines = std::size_t{extents.outer} * extents.inner;
  return {random.array(in, lines * extents.extent), random.array(out, lines)};
}

// The exact results with every term positive: what the error of a sum is relative to.
Array magnitudes_of_sums(const ReduceParams& params, const Spec& spec, Arrays arrays) {
  for (std::size_t i = 0; i < arrays[0].count(); ++i) arrays[0].set(i, std::abs(arrays[0][i]));
  const ReduceParams plain{params.outer, params.extent, params.inner, 1.0f, 0};
  return run_oracle(KernelId::reduce, {{spec.types[0], spec.types[1]}}, plain, arrays)[1];
}

void expect_in_bounds(const ReduceParams& params, const Spec& spec, const Arrays& arrays) {
  const Arrays actual = run_subject(KernelId::reduce, spec, params, arrays);
  if (actual.empty()) return;
  const Array exact = run_oracle(KernelId::reduce, spec, params, arrays)[1];
  const Array size = magnitudes_of_sums(params, spec, arrays);
  const bool sums = static_cast<Reduction>(spec.function) == Reduction::sum;
  for (std::size_t i = 0; i < exact.count(); ++i) {
    // Each sum rounds once, relative to a partial sum of magnitudes at most.
    double error = sums ? kUnit * params.extent * std::abs(params.scale) * size[i] : 0.0;
    if (!accuracy().f64_tails) {  // the scale's product, and the sum with what was there
      const double old = params.accumulate != 0 ? arrays[1][i] : 0.0;
      error += kUnit * (std::abs(exact[i] - old) + std::abs(exact[i])) + kSmallestNormal;
    }
    if (std::isinf(exact[i])) {  // the extremum of nothing
      expect_value(actual[1], i, exact[i]);
    } else {
      expect_inside(actual[1], i, Interval::around(exact[i], error));
    }
  }
}

TEST_P(Reduce, EveryMixOfTypesAndShapesIsInBounds) {
  for (const Extents& extents : kExtents) {
    for (const Reduction reduction : kReductions) {
      for (const DType in : kFloats) {
        const DType out = random.floating();
        const Spec spec{{in, out}, static_cast<std::uint8_t>(reduction)};
        const ReduceParams params{extents.outer, extents.extent, extents.inner, static_cast<float>(random.normal()),
                                  static_cast<int>(random.below(2))};
        SCOPED_TRACE(::testing::Message() << extents.outer << 'x' << extents.extent << 'x' << extents.inner);
        expect_in_bounds(params, spec, arrays_of(random, extents, in, out));
      }
    }
  }
}

// Any order of summation is exact here, so a term that is left out or counted twice shows.
TEST_P(Reduce, SumsOfSmallIntegersAreExact) {
  for (const Extents& extents : kExtents) {
    const ReduceParams params{extents.outer, extents.extent, extents.inner, 1.0f, 1};
    const std::size_t lines = std::size_t{extents.outer} * extents.inner;
    const DType in = random.floating();
    expect_oracle_bits(KernelId::reduce, {{in, DType::f32}}, params,
                       {random.integers(in, lines * extents.extent, 8), random.integers(DType::f32, lines, 8)});
  }
}

// dx = scale * dy / ties where x is the extremum.
TEST_P(Reduce, Small_GradientsGoToTheExtremaInEqualShares) {
  const auto mixes = type_mixes<4>(random);
  for (const Reduction reduction : {Reduction::max, Reduction::min}) {
    for (std::size_t m = 0; m < mixes.size(); ++m) {
      const Extents& extents = kExtents[m % std::size(kExtents)];
      const Mix<4>& mix = mixes[m];
      const std::size_t lines = std::size_t{extents.outer} * extents.inner;
      const Array x = random.integers(mix[0], lines * extents.extent, 9);  // with ties
      const auto function = static_cast<std::uint8_t>(reduction);
      const ReduceParams plain{extents.outer, extents.extent, extents.inner, 1.0f, 0};
      const Array y =
          run_oracle_as_is(KernelId::reduce, {{mix[0], mix[1]}, function}, plain, {x, Array(mix[1], lines)})[1];
      const Arrays arrays = {x, y, random.array(mix[2], lines), Array(mix[3], x.count())};
      const ReduceParams params{extents.outer, extents.extent, extents.inner, static_cast<float>(random.normal()), 0};
      const Spec spec{{mix[0], mix[1], mix[2], mix[3]}, function};
      const Arrays actual = run_subject(KernelId::reduce_grad, spec, params, arrays);
      if (actual.empty()) continue;
      const Arrays exact = run_oracle(KernelId::reduce_grad, spec, params, arrays);
      for (std::size_t i = 0; i < x.count(); ++i) {
        // A product and a quotient; zero away from the extremum.
        const double relative = accuracy().f64_tails ? kUnit : kUnit + accuracy().divide * kUlp;
        const Interval share = Interval::exact(exact[3][i]).widened(relative);
        expect_inside(actual[3], i, exact[3][i] == 0.0 ? Interval::exact(0.0) : share);
      }
    }
  }
}

TEST_P(Reduce, NanWinsAndInfinitiesAreKept) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const Reduction reduction : kReductions) {
    for (const std::uint32_t inner : {1u, 6u}) {
      Array x = random.array(DType::f32, 5 * 37 * inner);
      for (std::uint32_t line = 0; line < 5; ++line) {
        const std::size_t at = (line * 37 + static_cast<std::size_t>(random.below(37))) * inner;
        if (line == 1) x.set(at, std::nan(""));
        if (line == 2) x.set(at, kInf);
        if (line == 3) x.set(at, -kInf);
      }
      const Spec spec{{}, static_cast<std::uint8_t>(reduction)};
      const ReduceParams params{5, 37, inner, 1.0f, 0};
      const Arrays arrays = {x, Array(DType::f32, 5 * inner)};
      const Arrays actual = run_subject(KernelId::reduce, spec, params, arrays);
      if (!actual.empty()) expect_same_kinds(actual[1], run_oracle_as_is(KernelId::reduce, spec, params, arrays)[1]);
    }
  }
}

TEST_P(Reduce, Small_BitsAreRepeatable) {
  for (const Extents& extents :
       {Extents{1, 200000, 1}, Extents{700, 90, 1}, Extents{1, 3000, 100}, Extents{4, 60, 700}}) {
    const ReduceParams params{extents.outer, extents.extent, extents.inner, 0.5f, 1};
    for (const DType type : kFloats) {
      expect_repeatable(KernelId::reduce, {{type, DType::f32}}, params, arrays_of(random, extents, type, DType::f32));
    }
  }
}

}  // namespace
}  // namespace amphora::conformance
