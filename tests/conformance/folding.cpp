// What the passes that fold casts rely on: a pointwise kernel that loads a 16-bit operand, or stores a 16-bit result,
// gives the bits that it gives on f32 with a cast before it, or after it.
#include <array>

#include <fmt/format.h>

#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Folding);

constexpr std::uint32_t kFoldedCount = 5003;

// Runs a call whose buffer `result` is written, on arrays of any type.
Arrays run(KernelCall call, const Arrays& arrays) {
  for (std::size_t i = 0; i < arrays.size(); ++i) call.spec.types[i] = arrays[i].type();
  const Support support = Subject::current().supports(call.id, call.spec);
  return support.path == "oracle" ? Arrays() : run_call(call, arrays, 2);
}

void expect_foldable(const KernelCall& call, const Arrays& arrays) {
  const std::size_t result = arrays.size() - 1;
  const Arrays mixed = run(call, arrays);
  Arrays wide;
  for (const Array& array : arrays) wide.push_back(array.as(DType::f32));
  const Arrays plain = run(call, wide);
  if (mixed.empty() || plain.empty()) return;
  SCOPED_TRACE(fmt::format("{} of function {}", name_of(call.id), call.spec.function));
  // as() rounds as every cast does; Conformance of conversions holds them to it.
  expect_same(mixed[result], plain[result].as(arrays[result].type()));
}

TEST_P(Folding, PointwiseFunctionsOfOneOperand) {
  const auto mixes = orthogonal_mixes<4>(random);
  for (std::size_t f = 0; f < std::size(kUnaryNames); ++f) {
    const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(f)};
    for (const Mix<4>& mix : share_of(mixes, f)) {
      const Array x = random.array(mix[0], kFoldedCount);
      const UnaryParams params{kFoldedCount, 0.25f, 0.75f};
      expect_foldable({KernelId::unary, spec, params}, {x, Array(mix[3], kFoldedCount)});
      expect_foldable(
          {KernelId::unary_grad, spec, params},
          {x, random.array(mix[1], kFoldedCount), random.array(mix[2], kFoldedCount), Array(mix[3], kFoldedCount)});
    }
  }
}

TEST_P(Folding, PointwiseFunctionsOfTwoOperands) {
  BinaryParams params{};
  params.rank = 1;
  params.sizes[0] = kFoldedCount;
  params.a_strides[0] = params.b_strides[0] = params.dy_strides[0] = 1;
  const auto mixes = orthogonal_mixes<4>(random);
  for (std::size_t f = 0; f < std::size(kBinaryNames); ++f) {
    for (const Mix<4>& mix : share_of(mixes, f)) {
      const Array a = random.array(mix[0], kFoldedCount);
      const Array b = random.array(mix[1], kFoldedCount);
      expect_foldable({KernelId::binary, {.types = {}, .function = static_cast<std::uint8_t>(f)}, params},
                      {a, b, Array(mix[3], kFoldedCount)});
      for (const std::uint8_t flags : {std::uint8_t{0}, kBinaryGradSecond}) {
        expect_foldable({KernelId::binary_grad, {{}, static_cast<std::uint8_t>(f), flags}, params},
                        {a, b, random.array(mix[2], kFoldedCount), Array(mix[3], kFoldedCount)});
      }
    }
  }
}

TEST_P(Folding, Dropout) {
  for (const Mix<2>& mix : type_mixes<2>(random)) {
    const DropoutParams params{.count = kFoldedCount,
                               .threshold = random.bits(),
                               .scale = 1.7f,
                               .seed_low = random.bits(),
                               .seed_high = 0,
                               .stream_low = random.bits(),
                               .stream_high = 0};
    expect_foldable({KernelId::dropout, {}, params}, {random.array(mix[0], kFoldedCount), Array(mix[1], kFoldedCount)});
  }
}

}  // namespace
}  // namespace amphora::conformance
