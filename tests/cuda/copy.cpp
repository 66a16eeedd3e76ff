// Which way a copy takes, and that each way moves the right elements. Conformance compares results alone.
#include <algorithm>
#include <bit>
#include <limits>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

constexpr Spec kF32{.types = {DType::f32, DType::f32}};
constexpr std::uint32_t kUntouched = 0xDEADBEEF;

class CudaCopy : public CudaTest {
 protected:
  CudaCopy() { device->set_profiling(true); }

  using Words = std::vector<std::uint32_t>;

  // What a call ran, by name and number.
  std::map<std::string, std::uint64_t> paths_of(KernelId kernel) const {
    return device->counters().paths[static_cast<std::size_t>(kernel)];
  }

  Words random_words(std::size_t count) {
    Words words(count);
    std::generate(words.begin(), words.end(), [&] { return random.bits(); });
    return words;
  }

  // Copies words by `params`, both buffers from byte `offset` on, and compares all of the target.
  void expect_copy(const std::string& path, const CopyParams& params, std::size_t offset = 0) {
    SCOPED_TRACE(path);
    const std::size_t skip = offset / sizeof(std::uint32_t);
    const Words in = random_words(skip + offset_of(params, params.in_strides, count_of(params) - 1) + 1);
    Words expected(skip + offset_of(params, params.out_strides, count_of(params) - 1) + 1, kUntouched);
    const BufferPtr source = buffer_of(*device, in);
    const BufferPtr target = buffer_of(*device, expected);
    for (std::size_t n = 0; n < count_of(params); ++n) {
      expected[skip + offset_of(params, params.out_strides, n)] = in[skip + offset_of(params, params.in_strides, n)];
    }
    device->reset_counters();
    device->launch(KernelCall(KernelId::copy, kF32, params)
                       .with({source.get(), offset, source->bytes() - offset})
                       .with({target.get(), offset, target->bytes() - offset}));
    EXPECT_EQ(values_of<std::uint32_t>(*device, *target), expected);
    EXPECT_EQ(paths_of(KernelId::copy), (std::map<std::string, std::uint64_t>{{path, 1}}));
  }

  std::shared_ptr<CudaDevice> device = open_cuda();
  testing::Random random;

 private:
  static std::size_t count_of(const CopyParams& p) {
    std::size_t count = 1;
    for (int axis = 0; axis < p.rank; ++axis) count *= static_cast<std::size_t>(p.sizes[axis]);
    return count;
  }

  // The element that index n of the space has in an array.
  static std::size_t offset_of(const CopyParams& p, const std::uint32_t* strides, std::size_t n) {
    std::size_t offset = 0;
    for (int axis = p.rank - 1; axis >= 0; --axis) {
      const auto size = static_cast<std::size_t>(p.sizes[axis]);
      offset += n % size * static_cast<std::size_t>(strides[axis]);
      n /= size;
    }
    return offset;
  }
};

TEST_F(CudaCopy, MemoryThatLiesInOneCopiesAsMemory) {
  expect_copy("copy_memory", {0, {}, {}, {}});
  expect_copy("copy_memory", {1, {1000}, {1}, {1}});
  expect_copy("copy_memory", {3, {3, 5, 7}, {35, 7, 1}, {35, 7, 1}});
  expect_copy("copy_memory", {4, {3, 1, 5, 7}, {35, 0, 7, 1}, {35, 99, 7, 1}}, 4);
}

TEST_F(CudaCopy, RowsWithGapsCopyByPacks) {
  expect_copy("copy_packs", {2, {9, 64}, {96, 1}, {64, 1}});
  expect_copy("copy_packs", {2, {9, 64}, {64, 1}, {128, 1}});
  expect_copy("copy_packs", {3, {3, 4, 16}, {200, 24, 1}, {64, 16, 1}});
}

TEST_F(CudaCopy, ARowForAllCopiesByPacks) { expect_copy("copy_packs", {2, {100, 40}, {0, 1}, {40, 1}}); }

TEST_F(CudaCopy, ATranspositionCopiesByTiles) {
  expect_copy("copy_tile", {2, {32, 32}, {1, 32}, {32, 1}});
  expect_copy("copy_tile", {2, {45, 67}, {1, 45}, {67, 1}});
  expect_copy("copy_tile", {2, {45, 67}, {1, 50}, {70, 1}}, 4);
  expect_copy("copy_tile", {3, {3, 45, 67}, {3015, 1, 45}, {3015, 67, 1}});
}

// The order in which a call names the axes is none that memory knows.
TEST_F(CudaCopy, AxesMayComeInAnyOrder) {
  expect_copy("copy_memory", {3, {3, 20, 17}, {1, 51, 3}, {1, 51, 3}});
  expect_copy("copy_tile", {2, {33, 40}, {40, 1}, {1, 33}});
  expect_copy("copy_packs", {2, {16, 9}, {1, 24}, {1, 16}});
}

TEST_F(CudaCopy, WhatHasNoAlignedRowsCopiesByElements) {
  expect_copy("copy_elements", {2, {40, 7}, {14, 1}, {7, 1}});
  expect_copy("copy_elements", {1, {500}, {1}, {2}});
  expect_copy("copy_elements", {2, {9, 64}, {96, 1}, {64, 1}}, 4);
  expect_copy("copy_packs", {2, {3, 64}, {1, 3}, {64, 1}});  // too few rows for tiles
}

// Five axes, no two of which merge.
TEST_F(CudaCopy, ATranspositionMayHaveAxesAroundAndBetweenItsOwn) {
  expect_copy("copy_tile", {5, {2, 33, 3, 2, 40}, {7920, 1, 2640, 33, 66}, {7920, 240, 80, 40, 1}});
}

// Types may change on any way; past 24 bits an f32 could not hold the integer, and a second rounding would show.
TEST_F(CudaCopy, AnIntegerIsRoundedToBf16Once) {
  constexpr std::int32_t kTie = (1 << 24) + (1 << 16);  // between 2^24 and the bf16 that follows it
  const std::vector<std::int32_t> values = {kTie - 1,
                                            kTie,
                                            kTie + 1,
                                            -kTie + 1,
                                            -kTie,
                                            -kTie - 1,
                                            257,
                                            std::numeric_limits<std::int32_t>::max(),
                                            std::numeric_limits<std::int32_t>::min()};
  std::vector<std::uint16_t> expected;
  for (const std::int32_t value : values) expected.push_back(to_bf16(value).bits);
  const Spec spec{.types = {DType::i32, DType::bf16}};
  const BufferPtr in = buffer_of(*device, values);
  const BufferPtr cast = buffer_of(*device, std::vector<std::uint16_t>(values.size()));
  const BufferPtr copy = buffer_of(*device, std::vector<std::uint16_t>(values.size()));
  const auto count = static_cast<std::uint32_t>(values.size());
  device->launch(KernelCall(KernelId::cast, spec, CountParams{count}).with(all_of(in)).with(all_of(cast)));
  device->launch(
      KernelCall(KernelId::copy, spec, CopyParams{1, {count}, {1}, {1}}).with(all_of(in)).with(all_of(copy)));
  EXPECT_EQ(values_of<std::uint16_t>(*device, *cast), expected);
  EXPECT_EQ(values_of<std::uint16_t>(*device, *copy), expected);
}

TEST_F(CudaCopy, ATransposedCopyMayChangeTheType) {
  const Spec spec{.types = {DType::f32, DType::f16}};
  std::vector<float> values(40 * 50);
  std::generate(values.begin(), values.end(), [&] { return static_cast<float>(random.normal(100.0)); });
  std::vector<std::uint16_t> expected;
  for (std::size_t i = 0; i < values.size(); ++i) expected.push_back(to_f16(values[i % 50 * 40 + i / 50]).bits);
  const BufferPtr in = buffer_of(*device, values);
  const BufferPtr out = buffer_of(*device, std::vector<std::uint16_t>(values.size()));
  device->launch(
      KernelCall(KernelId::copy, spec, CopyParams{2, {40, 50}, {1, 40}, {50, 1}}).with(all_of(in)).with(all_of(out)));
  EXPECT_EQ(values_of<std::uint16_t>(*device, *out), expected);
  EXPECT_EQ(paths_of(KernelId::copy), (std::map<std::string, std::uint64_t>{{"copy_tile", 1}}));
}

// A NaN among numbers, at every place of a pack.
TEST_F(CudaCopy, ANaNKeepsThePayloadThatFitsAndItsNeighboursTheirValues) {
  for (const DType type : {DType::f16, DType::bf16}) {
    for (std::size_t place = 0; place < 8; ++place) {
      std::vector<float> source = {0.1f, -2.5f, 65520.0f, 1e-6f, -0.0f, 3e38f, 1e-40f, 7.0f};
      source[place] = std::bit_cast<float>(0xFFAB'CDEFu);
      std::vector<std::uint16_t> expected;
      for (const float value : source) {
        expected.push_back(type == DType::f16 ? to_f16(value).bits : to_bf16(value).bits);
      }
      const BufferPtr in = buffer_of(*device, source);
      const BufferPtr out = buffer_of(*device, std::vector<std::uint16_t>(8));
      const Spec narrow{.types = {DType::f32, type}};
      device->launch(KernelCall(KernelId::cast, narrow, CountParams{8}).with(all_of(in)).with(all_of(out)));
      EXPECT_EQ(values_of<std::uint16_t>(*device, *out), expected) << name_of(type) << ' ' << place;

      std::vector<std::uint32_t> wide;
      for (const std::uint16_t bits : expected) {
        wide.push_back(std::bit_cast<std::uint32_t>(type == DType::f16 ? to_f32(F16{bits}) : to_f32(BF16{bits})));
      }
      const Spec widen{.types = {type, DType::f32}};
      device->launch(KernelCall(KernelId::cast, widen, CountParams{8}).with(all_of(out)).with(all_of(in)));
      EXPECT_EQ(values_of<std::uint32_t>(*device, *in), wide) << name_of(type) << ' ' << place;
    }
  }
}

}  // namespace
}  // namespace amphora::cuda
