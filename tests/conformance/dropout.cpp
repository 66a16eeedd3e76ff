// dropout draws the bits of core/rng.h.
#include <cmath>

#include <fmt/format.h>

#include "amphora/core/rng.h"
#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Dropout);

DropoutParams random_params(Random& random, std::uint32_t count) {
  return {count,         random.bits(), static_cast<float>(1.0 + std::abs(random.normal())),
          random.bits(), random.bits(), random.bits(),
          random.bits()};
}

TEST_P(Dropout, KeepsWhatTheStreamKeeps) {
  for (const auto& [in, out] : every_mix<2>()) {
    for (const std::uint32_t count : {0u, 1u, 3u, 63u, 64u, 65u, 1025u, 50003u}) {
      const DropoutParams params = random_params(random, count);
      const RandomStream stream{(std::uint64_t{params.seed_high} << 32) | params.seed_low,
                                (std::uint64_t{params.stream_high} << 32) | params.stream_low};
      // No zeros, so that a zero tells what was dropped.
      Array x = random.array(in, count);
      for (std::size_t i = 0; i < count; ++i) x.set(i, std::copysign(1.0 + std::abs(x[i]), x[i]));
      const Arrays actual = run_subject(KernelId::dropout, {{in, out}}, params, {x, Array(out, count)});
      if (actual.empty()) continue;
      const Arrays exact = run_oracle(KernelId::dropout, {{in, out}}, params, {x, Array(out, count)});
      for (std::size_t i = 0; i < count; ++i) {
        const bool kept = random_bits(stream, i) >= params.threshold;
        if ((actual[1][i] != 0.0) != kept) expect(actual[1], false, fmt::format("element {}: another mask", i));
        expect_inside(actual[1], i, Interval::exact(exact[1][i]).widened(kUnit));
      }
    }
  }
}

// The number of a call, on the device, moves on to another part of the stream.
TEST_P(Dropout, AddsTheNumberOfTheCallToTheStream) {
  for (const std::uint32_t number : {0u, 1u, 77u, 0xffff'ffffu}) {
    const std::uint32_t count = 1 + random.below(5000);
    DropoutParams params = random_params(random, count);
    Array call(DType::i32, 1);
    call.set(0, static_cast<std::int32_t>(number));
    const Array x = random.array(DType::f32, count);
    const Arrays actual = run_subject(KernelId::dropout, {}, params, {x, Array(DType::f32, count), call});
    if (actual.empty()) continue;
    params.stream_high += number;
    const Arrays expected = run_subject(KernelId::dropout, {}, params, {x, Array(DType::f32, count)});
    expect_same(actual[1], expected[1]);
  }
}

TEST_P(Dropout, DropsNanAndInfinityToo) {
  Array x(DType::f32, 100);
  for (std::size_t i = 0; i < 100; ++i) x.set(i, i % 2 == 0 ? std::nan("") : kInfinity);
  const DropoutParams params{100, 0x8000'0000u, 2.0f, 1, 2, 3, 4};
  const Arrays arrays = {x, Array(DType::f32, 100)};
  const Arrays actual = run_subject(KernelId::dropout, {}, params, arrays);
  if (!actual.empty()) expect_same_kinds(actual[1], run_oracle_as_is(KernelId::dropout, {}, params, arrays)[1]);
}

TEST_P(Dropout, Small_BitsAreRepeatable) {
  const DropoutParams params{200001, 0x4000'0000u, 1.25f, random.bits(), 0, 7, 0};
  expect_repeatable(KernelId::dropout, {{DType::bf16, DType::bf16}}, params,
                    {random.array(DType::bf16, 200001), Array(DType::bf16, 200001)});
}

}  // namespace
}  // namespace amphora::conformance
