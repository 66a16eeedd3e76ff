// dropout draws the bits of core/rng.h.
#include <vector>

#include "conformance/interval.h"
#include "core/rng.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Dropout);

TEST_P(Dropout, keeps_what_the_stream_keeps) {
  for (const DType in : kFloats) {
    for (const DType out : kFloats) {
      for (const std::uint32_t count : {0u, 1u, 3u, 63u, 64u, 65u, 1025u, 50003u}) {
        SCOPED_TRACE(testing::Message() << name_of(in) << " -> " << name_of(out) << ' ' << count);
        const RandomStream stream{(std::uint64_t{random.bits()} << 32) | random.bits(),
                                  (std::uint64_t{random.bits()} << 32) | random.bits()};
        const DropoutParams params{count,
                                   random.bits(),
                                   static_cast<float>(1.0 + std::abs(random.normal())),
                                   static_cast<std::uint32_t>(stream.seed),
                                   static_cast<std::uint32_t>(stream.seed >> 32),
                                   static_cast<std::uint32_t>(stream.stream),
                                   static_cast<std::uint32_t>(stream.stream >> 32)};
        Array x = random.array(in, count);
        for (std::size_t i = 0; i < count; ++i) x.set(i, std::copysign(1.0 + std::abs(x[i]), x[i]));
        const auto actual = run_simd(KernelId::dropout, {{in, out}}, params, {x, Array(out, count)});
        const auto exact = run_oracle(KernelId::dropout, {{in, out}}, params, {x, Array(out, count)});
        for (std::size_t i = 0; i < count; ++i) {
          const bool kept = random_bits(stream, i) >= params.threshold;
          ASSERT_EQ(actual[1][i] != 0.0, kept) << i;
          expect_inside(actual[1], i, Interval::exact(exact[1][i]).widened(kUnit));
        }
      }
    }
  }
}

TEST_P(Dropout, drops_nan_and_infinity_too) {
  Array x(DType::f32, 100);
  for (std::size_t i = 0; i < 100; ++i) x.set(i, i % 2 == 0 ? std::nan("") : kEndless);
  const DropoutParams params{100, 0x8000'0000u, 2.0f, 1, 2, 3, 4};
  const auto actual = run_simd(KernelId::dropout, {}, params, {x, Array(DType::f32, 100)});
  const auto expected = run_oracle_as_is(KernelId::dropout, {}, params, {x, Array(DType::f32, 100)});
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(same_kind(actual[1][i], expected[1][i])) << i;
}

TEST_P(Dropout, bits_do_not_depend_on_the_number_of_threads) {
  const DropoutParams params{200001, 0x4000'0000u, 1.25f, random.bits(), 0, 7, 0};
  const std::vector<Array> arrays = {random.array(DType::bf16, 200001), Array(DType::bf16, 200001)};
  expect_thread_independence(KernelId::dropout, {{DType::bf16, DType::bf16}}, params, arrays);
}

}  // namespace
}  // namespace amphora::conformance
