// Which way a copy takes, and that all ways round alike.
#include <numeric>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

class CopyTest : public CudaTest {
 protected:
  CopyTest() { device->set_profiling(true); }

  // The kernels that a call ran.
  std::string path_of(const KernelCall& call) {
    device->reset_counters();
    device->launch(call);
    std::string names;
    for (const auto& [name, count] : device->counters().paths[static_cast<std::size_t>(call.id)]) names += name;
    return names;
  }

  std::shared_ptr<CudaDevice> device = open_cuda();
};

// Where element `n` of a copy lies.
std::size_t offset_of(const CopyParams& p, const std::int32_t* strides, std::size_t n) {
  std::size_t offset = 0;
  for (std::int32_t axis = p.rank - 1; axis >= 0; --axis) {
    const auto size = static_cast<std::size_t>(p.sizes[axis]);
    offset += n % size * static_cast<std::size_t>(strides[axis]);
    n /= size;
  }
  return offset;
}

std::size_t count_of(const CopyParams& p) {
  return std::accumulate(p.sizes, p.sizes + p.rank, std::size_t{1},
                         [](std::size_t count, std::int32_t size) { return count * static_cast<std::size_t>(size); });
}

struct Case {
  const char* what;
  CopyParams params;
  const char* path;
};

const Case kCases[] = {
    {"neighbours", {2, {4, 16}, {16, 1}, {16, 1}}, "copy_memory"},
    {"one element", {2, {1, 1}, {5, 5}, {1, 1}}, "copy_memory"},
    {"permuted alike", {3, {3, 20, 17}, {1, 51, 3}, {1, 51, 3}}, "copy_memory"},
    {"rows with gaps", {2, {4, 16}, {24, 1}, {16, 1}}, "copy_packs"},
    {"rows into gaps", {2, {4, 16}, {16, 1}, {24, 1}}, "copy_packs"},
    {"a row for all", {2, {4, 16}, {0, 1}, {16, 1}}, "copy_packs"},
    {"a number a row", {2, {4, 16}, {1, 0}, {16, 1}}, "copy_packs"},
    {"a few long columns", {2, {3, 64}, {1, 3}, {64, 1}}, "copy_packs"},
    {"transposed", {2, {33, 40}, {1, 33}, {40, 1}}, "copy_tile"},
    {"into a transposed view", {2, {33, 40}, {40, 1}, {1, 33}}, "copy_tile"},
    {"transposed matrices", {3, {4, 70, 31}, {2170, 1, 70}, {2170, 31, 1}}, "copy_tile"},
    {"axes 0 and 2 exchanged", {3, {32, 3, 40}, {1, 32, 96}, {120, 40, 1}}, "copy_tile"},
    {"odd rows", {2, {4, 7}, {14, 1}, {7, 1}}, "copy_elements"},
    {"every other element", {1, {50}, {1}, {2}}, "copy_elements"},
};

TEST_F(CopyTest, TakesTheFastestWayThereIs) {
  for (const auto& [what, params, path] : kCases) {
    SCOPED_TRACE(what);
    std::vector<float> source(10000);
    std::iota(source.begin(), source.end(), 1.0f);
    const BufferPtr in = buffer_of(*device, source);
    const BufferPtr out = buffer_of(*device, std::vector<float>(12000, 0.0f));
    EXPECT_EQ(path_of(KernelCall(KernelId::copy, Spec{}, params).with(all_of(in)).with(all_of(out))), path);
    std::vector<float> expected(12000, 0.0f);
    for (std::size_t n = 0; n < count_of(params); ++n) {
      expected[offset_of(params, params.out_strides, n)] = source[offset_of(params, params.in_strides, n)];
    }
    EXPECT_EQ(values_of<float>(*device, *out), expected);
  }
}

// Past 24 bits f32 rounds; a second rounding to 16 bits would then see ties that are none.
TEST_F(CopyTest, IntegersBecome16BitsInOneRounding) {
  std::vector<std::int32_t> integers = {0, 1, -1, 2147483647, -2147483647 - 1};
  for (const std::int32_t top : {1 << 24, 1 << 25, 1 << 27, 1 << 30}) {
    for (const std::int32_t half : {top >> 8, top >> 8 | top >> 7}) {  // ties of bf16, below and above
      for (const std::int32_t rest : {-257, -256, -255, -2, -1, 0, 1, 2, 255, 256, 257}) {
        integers.push_back(top + half + rest);
        integers.push_back(-(top + half + rest));
      }
    }
  }
  integers.resize(256, 65519);
  const BufferPtr in = buffer_of(*device, integers);
  const auto count = static_cast<std::int32_t>(integers.size());
  for (const DType type : {DType::f16, DType::bf16}) {
    std::vector<std::uint16_t> expected;
    for (const std::int32_t value : integers) {
      expected.push_back(type == DType::f16 ? to_f16(value).bits : to_bf16(value).bits);
    }
    const Spec spec{.types = {DType::i32, type}};
    const auto expect_path = [&](const KernelCall& call, const char* path) {
      const BufferPtr out = buffer_of(*device, std::vector<std::uint16_t>(integers.size(), 0xFFFFu));
      EXPECT_EQ(path_of(KernelCall(call).with(all_of(in)).with(all_of(out))), path);
      EXPECT_EQ(values_of<std::uint16_t>(*device, *out), expected) << path << " to " << name_of(type);
    };
    expect_path(KernelCall(KernelId::cast, spec, CountParams{static_cast<std::uint32_t>(count)}), "cast");
    expect_path(KernelCall(KernelId::copy, spec, CopyParams{1, {count}, {1}, {1}}), "copy_packs");
  }
}

// A NaN among numbers, at every place of a pack.
TEST_F(CopyTest, ANaNKeepsThePayloadThatFitsAndItsNeighboursTheirValues) {
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
