// fill, cast, copy and accumulate: the oracle's bits, or one rounding.
#include <array>

#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Copy);

constexpr std::uint32_t kCopyCounts[] = {0, 1, 3, 4, 15, 16, 17, 31, 1023, 1024, 1025, 40001};

TEST_P(Copy, Small_FillWritesEveryElement) {
  for (const DType type : kAllDTypes) {
    for (const std::uint32_t count : kCopyCounts) {
      Spec spec;
      spec.types[0] = type;
      const FillParams params{count, static_cast<float>(random.normal(100.0))};
      expect_oracle_bits(KernelId::fill, spec, params, {Array(type, count)});
    }
  }
}

TEST_P(Copy, Small_CastMatchesTheOracleForEveryPairOfTypes) {
  for (const auto& [from, to] : every_mix<2>()) {
    for (const std::uint32_t count : kCopyCounts) {
      Spec spec;
      spec.types = {from, to};
      expect_oracle_bits(KernelId::cast, spec, CountParams{count}, {random.array(from, count, 10.0), Array(to, count)});
    }
  }
}

TEST_P(Copy, Small_AccumulateRoundsTheSumOnce) {
  for (const auto& [from, to] : every_mix<2>()) {
    for (const std::uint32_t count : kCopyCounts) {
      Spec spec;
      spec.types = {from, to};
      const Arrays arrays = {random.array(from, count), random.array(to, count)};
      // Other mixes round a sum that f32 holds inexactly.
      const bool exact = to == DType::f32 || from == to;
      if (exact) expect_oracle_bits(KernelId::accumulate, spec, CountParams{count}, arrays);
      const Arrays actual = exact ? Arrays() : run_subject(KernelId::accumulate, spec, CountParams{count}, arrays);
      for (std::size_t i = 0; !actual.empty() && i < count; ++i) {
        expect_inside(actual[1], i, Interval::exact(arrays[1][i]) + Interval::exact(arrays[0][i]));
      }
    }
  }
}

// A random view of an array: some axes permuted, some repeated, some with gaps.
struct View {
  CopyParams params{};
  std::size_t in_count = 1;
  std::size_t out_count = 1;
};

View random_view(Random& random) {
  View view;
  CopyParams& p = view.params;
  p.rank = static_cast<int>(random.below(6));
  std::array<int, 5> order{};
  int elements = 1;
  for (int axis = 0; axis < p.rank; ++axis) {
    p.sizes[axis] = static_cast<std::uint32_t>(1 + random.below(elements > 1000 ? 3 : random.below(3) == 0 ? 40 : 7));
    elements *= static_cast<int>(p.sizes[axis]);
    const auto at = static_cast<int>(random.below(axis + 1));
    for (int i = axis; i > at; --i) order[static_cast<std::size_t>(i)] = order[static_cast<std::size_t>(i - 1)];
    order[static_cast<std::size_t>(at)] = axis;
  }
  for (int i = p.rank - 1; i >= 0; --i) {
    const int axis = order[static_cast<std::size_t>(i)];
    const bool repeats = random.below(5) == 0;
    const auto gap = static_cast<std::size_t>(random.below(8) == 0 ? 2 : 1);
    p.in_strides[axis] = repeats ? 0 : static_cast<std::uint32_t>(view.in_count * gap);
    if (!repeats) view.in_count *= static_cast<std::size_t>(p.sizes[axis]) * gap;
  }
  const auto gap = static_cast<std::size_t>(random.below(8) == 0 ? 3 : 1);
  for (int axis = p.rank - 1; axis >= 0; --axis) {
    p.out_strides[axis] = static_cast<std::uint32_t>(view.out_count * gap);
    view.out_count *= static_cast<std::size_t>(p.sizes[axis]) * gap;
  }
  return view;
}

TEST_P(Copy, Small_CopyMatchesTheOracleForRandomViews) {
  for (int repetition = 0; repetition < 100; ++repetition) {
    const View view = random_view(random);
    const DType type = kAllDTypes[random.below(5)];
    Spec spec;
    spec.types = {type, type};
    expect_oracle_bits(KernelId::copy, spec, view.params,
                       {random.array(type, view.in_count, 100.0), random.array(type, view.out_count, 100.0)});
  }
}

TEST_P(Copy, CopyTransposesMatricesOfEverySize) {
  for (const DType type : {DType::f32, DType::f16, DType::f64}) {
    for (const auto& [rows, columns] :
         std::vector<std::array<std::uint32_t, 2>>{{1, 1}, {1, 9}, {16, 16}, {17, 31}, {300, 257}}) {
      Spec spec;
      spec.types = {type, type};
      const CopyParams params{3, {3, rows, columns}, {rows * columns, 1, rows}, {rows * columns, columns, 1}};
      const auto count = 3 * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
      expect_oracle_bits(KernelId::copy, spec, params, {random.array(type, count), Array(type, count)});
    }
  }
}

TEST_P(Copy, CopyOfNothingLeavesTheTargetAlone) {
  Spec spec;
  const CopyParams params{2, {0, 5}, {5, 1}, {5, 1}};
  expect_oracle_bits(KernelId::copy, spec, params, {random.array(DType::f32, 5), random.array(DType::f32, 5)});
}

}  // namespace
}  // namespace amphora::conformance
