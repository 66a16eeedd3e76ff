// Which way a function of two arrays takes, and that the ways agree.
#include <numeric>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

struct Case {
  const char* what;
  std::int32_t columns;  // of three rows
  std::int32_t b_strides[2];
  std::size_t skipped;  // elements of y's buffer before y
  const char* way;
};

const Case kCases[] = {
    {"alike", 16, {16, 1}, 0, "packs"},
    {"a row for all", 16, {0, 1}, 0, "packs"},
    {"a number a row", 16, {1, 0}, 0, "packs"},
    {"one number", 16, {0, 0}, 0, "packs"},
    {"one number for odd rows, which merge", 7, {0, 0}, 0, "packs"},
    {"transposed", 16, {1, 3}, 0, "packs"},
    {"a row for all odd rows", 7, {0, 1}, 0, "elements"},
    {"a result that begins anywhere", 16, {16, 1}, 3, "elements"},
};

TEST_F(CudaTest, ABinaryFunctionTakesPacksWhereItsResultLiesInThem) {
  const auto device = open_cuda();
  device->set_profiling(true);
  std::vector<float> values(64);
  std::iota(values.begin(), values.end(), 1.0f);
  const BufferPtr a = buffer_of(*device, values);
  const BufferPtr b = buffer_of(*device, values);
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.what);
    const auto count = 3 * static_cast<std::size_t>(c.columns);
    const BinaryParams params{2, {3, c.columns}, {c.columns, 1}, {c.b_strides[0], c.b_strides[1]}, {c.columns, 1}};
    const BufferPtr y = device->allocate((c.skipped + count) * sizeof(float), MemoryKind::activations);
    const BufferRange result{y.get(), c.skipped * sizeof(float), count * sizeof(float)};
    const auto b_of = [&](std::size_t n) {
      const auto columns = static_cast<std::size_t>(c.columns);
      return values[n / columns * static_cast<std::size_t>(c.b_strides[0]) +
                    n % columns * static_cast<std::size_t>(c.b_strides[1])];
    };

    device->reset_counters();
    Spec spec{.types = {}, .function = static_cast<std::uint8_t>(BinaryFunction::div), .flags = 0};
    device->launch(KernelCall(KernelId::binary, spec, params).with(all_of(a)).with(all_of(b)).with(result));
    const auto quotients = values_of<float>(*device, *y);
    for (std::size_t n = 0; n < count; ++n) EXPECT_EQ(quotients[c.skipped + n], values[n] / b_of(n)) << n;

    spec = {.types = {}, .function = static_cast<std::uint8_t>(BinaryFunction::mul), .flags = 0};
    device->launch(
        KernelCall(KernelId::binary_grad, spec, params).with(all_of(a)).with(all_of(b)).with(all_of(a)).with(result));
    const auto slopes = values_of<float>(*device, *y);
    for (std::size_t n = 0; n < count; ++n) EXPECT_EQ(slopes[c.skipped + n], values[n] * b_of(n)) << n;

    const auto& paths = device->counters().paths;
    EXPECT_EQ(paths[static_cast<std::size_t>(KernelId::binary)].count(std::string("binary_") + c.way), 1u);
    EXPECT_EQ(paths[static_cast<std::size_t>(KernelId::binary_grad)].count(std::string("binary_grad_") + c.way), 1u);
  }
}

}  // namespace
}  // namespace amphora::cuda
