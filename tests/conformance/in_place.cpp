// What a memory plan relies on: where plan/in_place.h lets a result overwrite an operand, it has the bits that it has
// elsewhere, on every subject.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "amphora/kernel/operands.h"
#include "conformance/harness.h"
#include "conformance/mixes.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(InPlace);

// A few, one that ends within a wide access, and more than a device takes at once.
constexpr std::uint32_t kInPlaceCounts[] = {1, 7, 1000, 70'003};

// `arrays` with the result over an operand: copies but for that.
Arrays joined(const Arrays& arrays, std::size_t operand, std::size_t result) {
  Arrays together = arrays;
  together[result] = together[operand].over(arrays[result].type());
  return together;
}

void expect_same(const KernelCall& call, std::size_t operand, const Arrays& together, const Arrays& apart) {
  const auto result = static_cast<std::size_t>(result_in_place(call));
  SCOPED_TRACE(fmt::format("{} over '{}'", name_of(call.id), operand_of(call.id, static_cast<int>(operand)).name));
  EXPECT_TRUE(together[result].guards_intact());
  for (std::size_t i = 0; i < together.size(); ++i) {
    if (i == operand) continue;
    EXPECT_TRUE(together[i].same_bytes(apart[i])) << operand_of(call.id, static_cast<int>(i)).name << " differs";
  }
}

// Runs a call apart, and over each operand that it may overwrite: on the subject, and on the oracle once.
void expect_same_in_place(const KernelCall& call, const Arrays& arrays) {
  const int result = result_in_place(call);
  ASSERT_GE(result, 0) << name_of(call.id);
  Subject& subject = Subject::current();
  const Arrays apart = run_call(call, arrays, 2);
  if (apart.empty()) return;
  const SubjectEntry& first = *subjects(Part::everything).front();
  const bool is_first = &subject == &open_subject(first);  // the oracle is the same for all
  for (std::size_t operand = 0; operand < static_cast<std::size_t>(result); ++operand) {
    if (!may_overwrite(call, static_cast<int>(operand))) continue;
    Arrays together = joined(arrays, operand, static_cast<std::size_t>(result));
    subject.launch(call, together, 2);
    expect_same(call, operand, together, apart);
    if (!is_first) continue;
    const Arrays joined_on_oracle = joined(arrays, operand, static_cast<std::size_t>(result));
    launch_on_oracle(call, joined_on_oracle);
    expect_same(call, operand, joined_on_oracle, run_oracle_call(call, arrays));
  }
}

template <class Params>
void expect_same_in_place(KernelId kernel, const Spec& spec, const Params& params, const Arrays& arrays) {
  expect_same_in_place(KernelCall(kernel, spec, params), arrays);
}

Spec of(const Mix<4>& mix, std::size_t function = 0, std::uint8_t flags = 0) {
  Spec spec{.function = static_cast<std::uint8_t>(function), .flags = flags};
  std::copy(mix.begin(), mix.end(), spec.types.begin());
  return spec;
}

TEST_P(InPlace, Casts) {
  for (const std::uint32_t count : kInPlaceCounts) {
    for (const DType from : kFloats) {
      for (const DType to : kFloats) {
        if (size_of(from) != size_of(to)) continue;
        expect_same_in_place(KernelId::cast, {{from, to}}, CountParams{count},
                             {random.array(from, count), Array(to, count)});
      }
    }
  }
}

TEST_P(InPlace, PointwiseFunctionsOfOneOperand) {
  const auto mixes = orthogonal_mixes<4>(random);
  for (std::size_t f = 0; f < std::size(kUnaryNames); ++f) {
    for (const Mix<4>& mix : share_of(mixes, f)) {
      const std::uint32_t count = random.one_of(kInPlaceCounts);
      const UnaryParams params{count, 0.25f, 0.75f};
      const Array x = random.array(mix[0], count);
      const Array y(mix[1], count);
      expect_same_in_place(KernelId::unary, of(mix, f), params, {x, y});
      expect_same_in_place(KernelId::unary_grad, of(mix, f), params,
                           {x, random.array(mix[1], count), random.array(mix[2], count), Array(mix[3], count)});
    }
  }
}

// With both operands dense, or one of them repeated along rows or columns.
TEST_P(InPlace, PointwiseFunctionsOfTwoOperands) {
  constexpr bool kRepeats[][2] = {{false, false}, {false, false}, {true, false}, {false, true}, {true, true}};
  const auto mixes = orthogonal_mixes<4>(random);
  for (std::size_t f = 0; f < std::size(kBinaryNames); ++f) {
    for (const Mix<4>& mix : share_of(mixes, f)) {
      const auto rows = static_cast<std::uint32_t>(1 + random.below(60));
      const std::uint32_t columns = random.one_of(std::array{1u, 8u, 300u, 513u});
      const std::size_t count = std::size_t{rows} * columns;
      BinaryParams params{};
      params.rank = 2;
      params.sizes[0] = rows;
      params.sizes[1] = columns;
      for (auto* strides : {params.a_strides, params.b_strides, params.dy_strides}) {
        strides[0] = columns;
        strides[1] = 1;
      }
      const auto& repeats = random.one_of(kRepeats);
      auto* other = random.coin() ? params.a_strides : params.b_strides;
      if (repeats[0]) other[0] = 0;
      if (repeats[1]) other[1] = 0;
      const Array a = random.array(mix[0], count);
      const Array b = random.array(mix[1], count);
      expect_same_in_place(KernelId::binary, {{mix[0], mix[1], mix[3]}, static_cast<std::uint8_t>(f)}, params,
                           {a, b, Array(mix[3], count)});
      for (const std::uint8_t flags : {std::uint8_t{0}, kBinaryGradSecond}) {
        expect_same_in_place(KernelId::binary_grad, of(mix, f, flags), params,
                             {a, b, random.array(mix[2], count), Array(mix[3], count)});
      }
    }
  }
}

TEST_P(InPlace, Dropout) {
  for (const std::uint32_t count : kInPlaceCounts) {
    for (const Mix<2>& mix : type_mixes<2>(random)) {
      const DropoutParams params{.count = count,
                                 .threshold = 1u << 31,
                                 .scale = 2.0f,
                                 .seed_low = random.bits(),
                                 .seed_high = random.bits(),
                                 .stream_low = random.bits(),
                                 .stream_high = random.bits()};
      expect_same_in_place(KernelId::dropout, {{mix[0], mix[1]}}, params,
                           {random.array(mix[0], count), Array(mix[1], count)});
    }
  }
}

constexpr RowsParams kRows[] = {{1, 1}, {128, 10}, {7, 1000}, {2, 9001}, {300, 257}};

TEST_P(InPlace, Softmax) {
  for (const auto& [rows, columns] : kRows) {
    for (const std::uint8_t flags : {std::uint8_t{0}, kSoftmaxLog}) {
      for (const Mix<3>& mix : type_mixes<3>(random)) {
        const std::size_t count = std::size_t{rows} * columns;
        const RowsParams params{rows, columns};
        expect_same_in_place(KernelId::softmax, {{mix[0], mix[1]}, 0, flags}, params,
                             {random.array(mix[0], count, 5.0), Array(mix[1], count)});
        expect_same_in_place(KernelId::softmax_grad, {{mix[0], mix[1], mix[2]}, 0, flags}, params,
                             {random.array(mix[0], count), random.array(mix[1], count), Array(mix[2], count)});
      }
    }
  }
}

TEST_P(InPlace, GradientsOfCrossEntropy) {
  for (const auto& [rows, columns] : kRows) {
    for (const DType type : kFloats) {
      const std::size_t count = std::size_t{rows} * columns;
      Array targets(DType::i32, rows);
      for (std::size_t i = 0; i < rows; ++i) targets.set(i, static_cast<double>(random.below(columns)));
      targets.set(0, -1.0);  // no class: the row has no gradient
      expect_same_in_place(KernelId::cross_entropy_grad, {{type, DType::i32, DType::f32, DType::f32}},
                           CrossEntropyParams{rows, columns, 1},
                           {random.array(type, count, 5.0), targets, random.array(DType::f32, rows),
                            random.array(DType::f32, rows), Array(type, count)});
    }
  }
}

// All else writes elsewhere, or into what it updates.
TEST(InPlaceKernels, AreThoseTestedHere) {
  constexpr KernelId kTested[] = {KernelId::cast,    KernelId::unary,        KernelId::unary_grad,
                                  KernelId::binary,  KernelId::binary_grad,  KernelId::dropout,
                                  KernelId::softmax, KernelId::softmax_grad, KernelId::cross_entropy_grad};
  for (int k = 0; k < kKernelCount; ++k) {
    const auto id = static_cast<KernelId>(k);
    const bool tested = std::find(std::begin(kTested), std::end(kTested), id) != std::end(kTested);
    EXPECT_EQ(result_in_place(KernelCall(id, {}, CountParams{})) >= 0, tested) << name_of(id);
  }
}

}  // namespace
}  // namespace amphora::conformance
