// Sizes past what one launch of a device spans: more than 65,535 workgroups of rows, and long flat ranges.
#include <cmath>

#include "amphora/kernel/dense_product.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Large);

constexpr std::uint32_t kRows = 70000;

// 65,535 workgroups of 256 are 16.7 million elements.
std::uint32_t flat_count() { return Subject::current().compiles() ? 16'800'003 : 1'000'003; }

TEST_P(Large, FlatRanges) {
  const Spec spec{{DType::f16, DType::f16}, static_cast<std::uint8_t>(UnaryFunction::neg)};
  Array x(DType::f16, flat_count());
  auto* bits = reinterpret_cast<std::uint16_t*>(x.data());
  for (std::size_t i = 0; i < x.count(); ++i) bits[i] = static_cast<std::uint16_t>((i * 2654435761u) >> 16 & 0xFBFF);
  const Arrays actual = run_subject(KernelId::unary, spec, UnaryParams{flat_count(), 0.0f, 0.0f}, {x, x});
  if (actual.empty()) return;
  const auto* result = reinterpret_cast<const std::uint16_t*>(actual[1].data());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < x.count(); ++i) wrong += result[i] != (bits[i] ^ 0x8000) ? 1 : 0;
  expect(actual[1], wrong == 0, "some elements of a long range are wrong");
}

TEST_P(Large, SumsOfFlatRanges) {
  const std::uint32_t count = 2'000'003;
  // Zeros and ones: exact in f32 below 2^24.
  Array x(DType::bf16, count);
  for (std::size_t i = 0; i < count; ++i) x.set(i, i % 3 == 0 ? 1.0 : 0.0);
  expect_oracle_bits(KernelId::reduce, {{DType::bf16, DType::f32}}, ReduceParams{1, count, 1, 1.0f, 0},
                     {x, Array(DType::f32, 1)});
  Array total(DType::f32, 1);
  total.set(0, 5.0);
  const Arrays norm =
      run_subject(KernelId::gradient_norm, {}, GradientNormParams{count, 1.0f}, {x.as(DType::f32), total});
  if (!norm.empty()) {
    const std::uint32_t ones = (count + 2) / 3;
    expect_value(norm[1], 0, 5.0 + ones);
  }
}

TEST_P(Large, ManyRowsOfSums) {
  for (const std::uint32_t inner : {1u, 2u}) {
    const ReduceParams params{kRows, 3, inner, 1.0f, 0};
    expect_oracle_bits(KernelId::reduce, {{DType::f16, DType::f32}}, params,
                       {random.integers(DType::f16, 3 * kRows * inner, 8), Array(DType::f32, kRows * inner)});
  }
}

TEST_P(Large, ManyRowsOfSoftmaxAndItsGradient) {
  const std::size_t count = 2 * std::size_t{kRows};
  // Equal logits: halves, whatever exp(0) is.
  Array x(DType::f16, count);
  for (std::size_t i = 0; i < count; ++i) x.set(i, static_cast<double>(i / 2 % 100));
  const Arrays actual = run_subject(KernelId::softmax, {{DType::f16, DType::f16}}, RowsParams{kRows, 2}, {x, x});
  for (std::size_t i = 0; !actual.empty() && i < count; ++i) expect_value(actual[1], i, 0.5);
  Array y(DType::f16, count);
  for (std::size_t i = 0; i < count; ++i) y.set(i, 0.5);
  // y (dy - sum(y dy)) with small integers is exact.
  const Arrays arrays = {y, random.integers(DType::f16, count, 8), Array(DType::f16, count)};
  expect_oracle_bits(KernelId::softmax_grad, {{DType::f16, DType::f16, DType::f16}}, RowsParams{kRows, 2}, arrays);
}

TEST_P(Large, ManyRowsOfLosses) {
  Array targets(DType::i32, kRows);
  for (std::size_t i = 0; i < kRows; ++i) targets.set(i, static_cast<double>(random.below(2)));
  const Arrays arrays = {Array(DType::f16, 2 * std::size_t{kRows}), targets, Array(DType::f32, kRows),
                         Array(DType::f32, kRows)};
  Array logits = arrays[0];
  for (std::size_t i = 0; i < logits.count(); ++i) logits.set(i, 0.0);
  const Arrays actual = run_subject(KernelId::cross_entropy, {{DType::f16, DType::i32}},
                                    CrossEntropyParams{kRows, 2, 0}, {logits, targets, arrays[2], arrays[3]});
  // log 2: the logarithm's error and a few roundings.
  const Interval bound = Interval::exact(std::log(2.0)).widened((accuracy().log + accuracy().exp + 2) * kUlp);
  for (std::size_t i = 0; !actual.empty() && i < kRows; ++i) expect_inside(actual[2], i, bound);
}

TEST_P(Large, ATallCopy) {
  const auto rows = static_cast<std::int32_t>(kRows);
  const CopyParams params{2, {3, rows}, {1, 3}, {rows, 1}};
  expect_oracle_bits(KernelId::copy, {{DType::f16, DType::f16}}, params,
                     {random.array(DType::f16, 3 * std::size_t{kRows}), Array(DType::f16, 3 * std::size_t{kRows})});
}

TEST_P(Large, ATallProduct) {
  const MatmulParams params = dense_product(static_cast<int>(kRows) * 8, 3, 2);
  const std::size_t rows = 8 * std::size_t{kRows};
  for (const DType type : {DType::f32, DType::f16}) {
    expect_oracle_bits(KernelId::matmul, {{type, type, DType::f32}}, params,
                       {random.integers(type, 2 * rows, 8), random.integers(type, 6, 8), Array(DType::f32, 3 * rows),
                        Array(), Array()});
  }
}

TEST_P(Large, MasksOfFlatRanges) {
  const std::uint32_t count = 3'000'001;
  const DropoutParams params{count, 0x6000'0000u, 2.0f, random.bits(), random.bits(), random.bits(), random.bits()};
  Array ones(DType::bf16, count);
  for (std::size_t i = 0; i < count; ++i) ones.set(i, 1.0);
  expect_oracle_bits(KernelId::dropout, {{DType::bf16, DType::bf16}}, params, {ones, ones});
}

}  // namespace
}  // namespace amphora::conformance
