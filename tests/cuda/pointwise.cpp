// A function of two operands gives the same bits however they lie; conformance tries two axes, these tests all five.
#include <algorithm>
#include <array>
#include <numeric>

#include "cuda_test.h"

namespace amphora::cuda {
namespace {

constexpr auto kMul = static_cast<std::uint8_t>(BinaryFunction::mul);
constexpr std::size_t kAxes = 5;

// Fills in strides of the axes in a random order, some of them repeated; returns how many elements they reach.
std::size_t lay_out(testing::Random& random, const BinaryParams& params, std::uint32_t* strides) {
  std::array<int, kAxes> order = {0, 1, 2, 3, 4};
  for (std::size_t i = kAxes; i-- > 1;) std::swap(order[i], order[random.bits() % (i + 1)]);
  std::uint32_t next = 1;
  for (const int axis : order) {
    const bool repeats = random.bits() % 4 == 0;
    strides[axis] = repeats ? 0 : next;
    if (!repeats) next *= params.sizes[axis];
  }
  return static_cast<std::size_t>(next);
}

class CudaPointwise : public CudaTest {
 protected:
  std::vector<float> numbers(std::size_t count) {
    std::vector<float> values(count);
    std::generate(values.begin(), values.end(), [&] { return static_cast<float>(random.normal()); });
    return values;
  }

  std::shared_ptr<CudaDevice> device = open_cuda();
  testing::Random random;
};

// The element that index n of a space has in an operand.
float at(const std::vector<float>& values, const BinaryParams& params, const std::uint32_t* strides, std::size_t n) {
  std::size_t offset = 0;
  for (std::size_t axis = kAxes; axis-- > 0;) {
    const auto size = static_cast<std::size_t>(params.sizes[axis]);
    offset += n % size * static_cast<std::size_t>(strides[axis]);
    n /= size;
  }
  return values[offset];
}

TEST_F(CudaPointwise, OperandsMayLieInAnyOrderOverFiveAxes) {
  for (int repetition = 0; repetition < 60; ++repetition) {
    BinaryParams params{};
    params.rank = kAxes;
    std::size_t count = 1;
    for (std::uint32_t& size : params.sizes) {
      size = static_cast<std::uint32_t>(random.bits() % 3 == 0 ? 8 : 1 + random.bits() % 5);
      count *= static_cast<std::size_t>(size);
    }
    const std::vector<float> a = numbers(lay_out(random, params, params.a_strides));
    const std::vector<float> b = numbers(lay_out(random, params, params.b_strides));
    const std::vector<float> dy = numbers(lay_out(random, params, params.dy_strides));
    std::vector<float> products, gradients;
    for (std::size_t n = 0; n < count; ++n) {
      products.push_back(at(a, params, params.a_strides, n) * at(b, params, params.b_strides, n));
      gradients.push_back(at(dy, params, params.dy_strides, n) * at(b, params, params.b_strides, n));
    }
    const BufferPtr buffers[] = {buffer_of(*device, a), buffer_of(*device, b), buffer_of(*device, dy)};
    const BufferPtr y = buffer_of(*device, std::vector<float>(count));
    const BufferPtr da = buffer_of(*device, std::vector<float>(count));
    const Spec spec{.types = {}, .function = kMul};
    device->launch(
        KernelCall(KernelId::binary, spec, params).with(all_of(buffers[0])).with(all_of(buffers[1])).with(all_of(y)));
    device->launch(KernelCall(KernelId::binary_grad, spec, params)
                       .with(all_of(buffers[0]))
                       .with(all_of(buffers[1]))
                       .with(all_of(buffers[2]))
                       .with(all_of(da)));
    ASSERT_EQ(values_of<float>(*device, *y), products) << repetition;
    ASSERT_EQ(values_of<float>(*device, *da), gradients) << repetition;
  }
}

// Neither arrays that begin between two packs nor the end of the last one may touch what lies beside them.
TEST_F(CudaPointwise, ArraysMayBeginAndEndAnywhere) {
  constexpr std::size_t kCount = 40;
  for (std::size_t begin = 0; begin < 9; ++begin) {
    for (std::size_t count = 0; begin + count < kCount; count += 3) {
      const std::vector<float> x = numbers(kCount);
      std::vector<float> expected(kCount, -7.0f);
      for (std::size_t i = begin; i < begin + count; ++i) expected[i] = -x[i];
      const BufferPtr in = buffer_of(*device, x);
      const BufferPtr out = buffer_of(*device, std::vector<float>(kCount, -7.0f));
      const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::neg)};
      const std::size_t bytes = count * sizeof(float);
      device->launch(KernelCall(KernelId::unary, spec, UnaryParams{static_cast<std::uint32_t>(count), 0.0f, 0.0f})
                         .with({in.get(), begin * sizeof(float), bytes})
                         .with({out.get(), begin * sizeof(float), bytes}));
      ASSERT_EQ(values_of<float>(*device, *out), expected) << begin << ' ' << count;
    }
  }
}

struct Case {
  const char* what;
  std::uint32_t columns;  // of three rows
  std::uint32_t b_strides[2];
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

TEST_F(CudaPointwise, ABinaryFunctionTakesPacksWhereItsResultLiesInThem) {
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
