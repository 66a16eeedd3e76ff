// reduce stays within the error of a sum in f32; extrema are exact.
#include <array>
#include <limits>
#include <vector>

#include "conformance/interval.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Reduce);

constexpr Reduction kReductions[] = {Reduction::sum, Reduction::max, Reduction::min};

struct Extents {
  std::uint32_t outer, extent, inner;
};
constexpr Extents kExtents[] = {{1, 1, 1},   {1, 128, 512}, {3, 17, 1},  {70, 1, 5},     {5, 130, 10}, {1, 1100, 3},
                                {2, 9, 100}, {1, 70001, 1}, {40, 33, 1}, {1, 100, 1001}, {3, 0, 4},    {1, 2, 70000}};

std::vector<Array> arrays_of(Random& random, const Extents& extents, DType in, DType out) {
  const std::size_t lines = std::size_t{extents.outer} * extents.inner;
  return {random.array(in, lines * extents.extent), random.array(out, lines)};
}

TEST_P(Reduce, every_mix_of_types_and_shapes_is_in_bounds) {
  for (const Extents& extents : kExtents) {
    for (const Reduction reduction : kReductions) {
      for (const DType in : kFloats) {
        const DType out = kFloats[random.below(3)];
        SCOPED_TRACE(testing::Message() << extents.outer << 'x' << extents.extent << 'x' << extents.inner << ' '
                                        << static_cast<int>(reduction) << ' ' << name_of(in) << " -> " << name_of(out));
        const Spec spec{{in, out}, static_cast<std::uint8_t>(reduction)};
        const ReduceParams params{extents.outer, extents.extent, extents.inner, static_cast<float>(random.normal()),
                                  static_cast<int>(random.below(2))};
        const auto arrays = arrays_of(random, extents, in, out);
        const auto exact = run_oracle(KernelId::reduce, spec, params, arrays);
        std::vector<Array> positive = arrays;
        for (std::size_t i = 0; i < positive[0].count(); ++i) positive[0].set(i, std::abs(arrays[0][i]));
        const auto size = run_oracle(KernelId::reduce, {{in, out}},
                                     ReduceParams{extents.outer, extents.extent, extents.inner, 1.0f, 0}, positive);
        const auto actual = run_simd(KernelId::reduce, spec, params, arrays);
        // Each sum rounds once, relative to a partial sum of magnitudes at most.
        const double error = reduction == Reduction::sum ? kUnit * extents.extent * std::abs(params.scale) : 0.0;
        for (std::size_t i = 0; i < actual[1].count(); ++i) {
          expect_inside(actual[1], i, Interval::around(exact[1][i], error * size[1][i]));
        }
      }
    }
  }
}

TEST_P(Reduce, nan_wins_and_infinities_are_kept) {
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
      const std::vector<Array> arrays = {x, Array(DType::f32, 5 * inner)};
      const auto expected = run_oracle_as_is(KernelId::reduce, spec, params, arrays);
      const auto actual = run_simd(KernelId::reduce, spec, params, arrays);
      for (std::size_t i = 0; i < arrays[1].count(); ++i) EXPECT_TRUE(same_kind(actual[1][i], expected[1][i])) << i;
    }
  }
}

TEST_P(Reduce, bits_do_not_depend_on_the_number_of_threads) {
  for (const Extents& extents :
       {Extents{1, 200000, 1}, Extents{700, 90, 1}, Extents{1, 3000, 100}, Extents{4, 60, 700}}) {
    const ReduceParams params{extents.outer, extents.extent, extents.inner, 0.5f, 1};
    for (const DType type : kFloats) {
      expect_thread_independence(KernelId::reduce, {{type, DType::f32}}, params,
                                 arrays_of(random, extents, type, DType::f32));
    }
  }
}

}  // namespace
}  // namespace amphora::conformance
