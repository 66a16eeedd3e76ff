#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleCopy : public OracleTest {};

TEST_F(OracleCopy, FillRoundsToTheElementType) {
  for (const DType type : kAllDTypes) {
    const Elements out = elements(type, {0, 0, 7});
    launch(KernelId::fill, {.types = {type}}, FillParams{.count = 2, .value = 257.0f}, {out});
    const double want = type == DType::bf16 ? 256.0 : 257.0;
    EXPECT_EQ(out.read(), (Values{want, want, 7})) << name_of(type);
  }
}

TEST_F(OracleCopy, CastConvertsEveryPairOfTypes) {
  for (const DType from : kAllDTypes) {
    for (const DType to : kAllDTypes) {
      const Elements in = elements(from, {-3, 0, 100});
      const Elements out = elements(to, {9, 9, 9});
      launch(KernelId::cast, {.types = {from, to}}, CountParams{3}, {in, out});
      EXPECT_EQ(out.read(), (Values{-3, 0, 100})) << name_of(from) << " to " << name_of(to);
    }
  }
}

TEST_F(OracleCopy, CastFromF64RoundsOnce) {
  // Through f32 this would first become a tie, and then round to even.
  const Elements in = f64({1.0 + 0x1p-11 + 0x1p-40});
  const Elements out = elements(DType::f16, {0});
  launch(KernelId::cast, {.types = {DType::f64, DType::f16}}, CountParams{1}, {in, out});
  EXPECT_EQ(out.read(), Values{1.0 + 0x1p-10});
}

TEST_F(OracleCopy, CastToI32SaturatesAndMapsNaNToZero) {
  const Elements in = f64({1e10, -1e10, kNaN, 2.9, -2.9});
  const Elements out = elements(DType::i32, {1, 1, 1, 1, 1});
  launch(KernelId::cast, {.types = {DType::f64, DType::i32}}, CountParams{5}, {in, out});
  EXPECT_EQ(out.read(), (Values{2147483647, -2147483648.0, 0, 2, -2}));
}

TEST_F(OracleCopy, CastToTheSameTypeKeepsEveryBit) {
  const std::uint16_t signalling[] = {0x7C01, 0xFE34, 0x8000};
  Elements in = elements(DType::f16, {0, 0, 0});
  device->upload(*in.buffer, 0, std::as_bytes(std::span(signalling)));
  const Elements out = elements(DType::f16, {0, 0, 0});
  launch(KernelId::cast, {.types = {DType::f16, DType::f16}}, CountParams{3}, {in, out});
  std::uint16_t got[3];
  device->download(*out.buffer, 0, std::as_writable_bytes(std::span(got)));
  EXPECT_EQ(std::memcmp(got, signalling, sizeof got), 0);
}

TEST_F(OracleCopy, CopyTransposes) {
  const Elements in = f32({1, 2, 3, 4, 5, 6});  // [2, 3]
  const Elements out = elements(DType::bf16, {0, 0, 0, 0, 0, 0});
  launch(KernelId::copy, {.types = {DType::f32, DType::bf16}},
         CopyParams{.rank = 2, .sizes = {3, 2}, .in_strides = {1, 3}, .out_strides = {2, 1}}, {in, out});
  EXPECT_EQ(out.read(), (Values{1, 4, 2, 5, 3, 6}));
}

TEST_F(OracleCopy, CopyRepeatsAlongAxesOfStrideZero) {
  const Elements in = f32({1, 2});
  const Elements out = f32({0, 0, 0, 0, 0, 0});
  launch(KernelId::copy, {}, CopyParams{.rank = 2, .sizes = {3, 2}, .in_strides = {0, 1}, .out_strides = {2, 1}},
         {in, out});
  EXPECT_EQ(out.read(), (Values{1, 2, 1, 2, 1, 2}));
}

TEST_F(OracleCopy, CopyLeavesWhatLiesBetweenTheElements) {
  const Elements in = f32({1, 2});
  const Elements out = f32({9, 9, 9, 9});
  launch(KernelId::copy, {}, CopyParams{.rank = 1, .sizes = {2}, .in_strides = {1}, .out_strides = {2}}, {in, out});
  EXPECT_EQ(out.read(), (Values{1, 9, 2, 9}));
}

TEST_F(OracleCopy, CopyOfAScalarMovesOneElement) {
  const Elements in = f32({5, 6});
  const Elements out = f32({0, 0});
  launch(KernelId::copy, {}, CopyParams{.rank = 0, .sizes = {}, .in_strides = {}, .out_strides = {}}, {in, out});
  EXPECT_EQ(out.read(), (Values{5, 0}));
}

TEST_F(OracleCopy, CopyOfFiveAxesVisitsEachElementOnce) {
  Values values(2 * 3 * 2 * 2 * 2);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const Elements in = f32(values);
  const Elements out = f32(Values(values.size(), -1));
  launch(
      KernelId::copy, {},
      CopyParams{.rank = 5, .sizes = {2, 3, 2, 2, 2}, .in_strides = {24, 8, 4, 2, 1}, .out_strides = {24, 8, 4, 2, 1}},
      {in, out});
  EXPECT_EQ(out.read(), values);
}

TEST_F(OracleCopy, AccumulateRoundsOnceToTheSumsType) {
  const Elements in = f32({1, 1 + 0x1p-7});
  const Elements sum = elements(DType::bf16, {256, 1});
  launch(KernelId::accumulate, {.types = {DType::f32, DType::bf16}}, CountParams{2}, {in, sum});
  EXPECT_EQ(sum.read(), (Values{256, 2}));
}

}  // namespace
}  // namespace amphora::testing
