// Products of small integers, which are exact in whatever order they are summed, along every way through the launcher.
// With the claim that the device is a GPU, a processor's driver runs what GPUs run.
#include <set>
#include <tuple>

#include "amphora/core/rng.h"
#include "backends/vulkan/matmul_tiles.h"
#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

struct Case {
  int m, n, k;
  int batch = 1;
  bool transpose_a = false, transpose_b = false;
  DType type = DType::f16;
  int padding = 0;  // elements behind each row, and before the first
};

class VulkanMatmul : public VulkanTest {
 protected:
  static std::shared_ptr<VulkanDevice> open_as(bool is_cpu, std::array<std::uint32_t, 3> groups = {}) {
    Candidate candidate = select({});
    restrict_to({}, candidate.capabilities);
    candidate.capabilities.is_cpu = is_cpu;
    if (groups[0] > 0) candidate.capabilities.max_groups = groups;
    return std::make_shared<VulkanDevice>(candidate);
  }

  static Choice choice_of(const VulkanDevice& device, const Case& c) {
    const Spec spec{.types = {c.type, c.type, DType::f32, DType::f32}};
    MatmulParams params{};
    std::tie(params.m, params.n, params.k, params.batch) = std::tie(c.m, c.n, c.k, c.batch);
    return choose(tilings(spec, device.capabilities()), params, device.capabilities());
  }

  static void expect_exact(VulkanDevice& device, const Case& c);
};

// An operand as it is stored: `rows` of `stride` elements, of which `columns` count, a batch after the other.
struct Operand {
  int columns, stride, matrix, offset;
  std::vector<double> values;
  std::vector<std::byte> bytes;

  Operand(const Case& c, int rows, int row_elements, std::uint64_t stream)
      : columns(row_elements), stride(columns + c.padding), matrix(rows * stride), offset(c.padding) {
    const int count = offset + matrix * c.batch;
    for (int i = 0; i < count; ++i) {
      // What lies between the rows must not take part.
      const bool inside = i >= offset && (i - offset) % stride < columns;
      const auto number = static_cast<double>(random_below({1, stream}, static_cast<std::uint64_t>(i), 9));
      values.push_back(inside ? number - 4.0 : std::nan(""));
    }
    bytes.resize(values.size() * size_of(c.type));
    for (std::size_t i = 0; i < values.size(); ++i) store_element(c.type, bytes.data(), i, values[i]);
  }

  double at(int batch, int row, int column) const {
    const int index = offset + batch * matrix + row * stride + column;
    return values[static_cast<std::size_t>(index)];
  }
};

void VulkanMatmul::expect_exact(VulkanDevice& device, const Case& c) {
  SCOPED_TRACE(::testing::Message() << c.m << 'x' << c.n << 'x' << c.k << " batch " << c.batch << " ta "
                                    << c.transpose_a << " tb " << c.transpose_b << ' ' << name_of(c.type) << " padding "
                                    << c.padding);
  const Operand a(c, c.transpose_a ? c.k : c.m, c.transpose_a ? c.m : c.k, 1);
  const Operand b(c, c.transpose_b ? c.n : c.k, c.transpose_b ? c.k : c.n, 2);
  const int matrix = c.m * c.n;
  const auto distance = [](int elements) { return static_cast<std::uint32_t>(elements); };
  const MatmulParams params{.m = c.m,
                            .n = c.n,
                            .k = c.k,
                            .batch = c.batch,
                            .lda = a.stride,
                            .ldb = b.stride,
                            .ldc = c.n,
                            .a_batch_stride = distance(a.matrix),
                            .b_batch_stride = distance(b.matrix),
                            .c_batch_stride = distance(matrix),
                            .alpha = 1.0f,
                            .beta = 0.0f};
  const Spec spec{.types = {c.type, c.type, DType::f32, DType::f32},
                  .flags = static_cast<std::uint8_t>((c.transpose_a ? kMatmulTransposeA : 0) |
                                                     (c.transpose_b ? kMatmulTransposeB : 0))};
  const BufferPtr left = buffer_of(device, a.bytes);
  const BufferPtr right = buffer_of(device, b.bytes);
  const BufferPtr result =
      buffer_of(device, std::vector<float>(static_cast<std::size_t>(matrix * c.batch), std::nanf("")));
  const std::size_t offset = static_cast<std::size_t>(c.padding) * size_of(c.type);
  KernelCall call(KernelId::matmul, spec, params);
  call.with({left.get(), offset, left->bytes() - offset}).with({right.get(), offset, right->bytes() - offset});
  device.launch(call.with(all_of(result)).with({}).with({}));

  const std::vector<float> actual = values_of<float>(device, *result);
  for (int batch = 0; batch < c.batch; ++batch) {
    for (int row = 0; row < c.m; ++row) {
      for (int column = 0; column < c.n; ++column) {
        double sum = 0.0;
        for (int k = 0; k < c.k; ++k) {
          sum += (c.transpose_a ? a.at(batch, k, row) : a.at(batch, row, k)) *
                 (c.transpose_b ? b.at(batch, column, k) : b.at(batch, k, column));
        }
        const int at = batch * matrix + row * c.n + column;
        ASSERT_EQ(static_cast<double>(actual[static_cast<std::size_t>(at)]), sum)
            << "batch " << batch << " row " << row << " column " << column;
      }
    }
  }
}

constexpr bool kBoth[] = {false, true};

TEST_F(VulkanMatmul, OfACpuIsExact) {
  const auto device = open_as(true);
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    for (const bool transpose_a : kBoth) {
      for (const bool transpose_b : kBoth) {
        expect_exact(*device, {32, 48, 40, 1, transpose_a, transpose_b, type});
        expect_exact(*device, {33, 47, 41, 2, transpose_a, transpose_b, type, 3});
      }
    }
  }
}

TEST_F(VulkanMatmul, OfAGpuIsExactInTilesOfEverySize) {
  const auto device = open_as(false);
  for (const DType type : {DType::f16, DType::f32}) {
    std::set<std::uint32_t> edges;
    for (Case c : {Case{70, 90, 100}, Case{638, 634, 40}, Case{1400, 1276, 24}}) {
      c.type = type;
      edges.insert(choice_of(*device, c).tiling.tile_m());
      // Both layouts of both operands in two runs.
      for (const bool transpose : kBoth) {
        c.transpose_a = transpose;
        c.transpose_b = !transpose;
        c.padding = transpose ? 5 : 8;
        expect_exact(*device, c);
      }
    }
    const auto ways = tilings({.types = {type, type, DType::f32, DType::f32}}, device->capabilities());
    EXPECT_EQ(edges.size(), ways.size());
  }
}

TEST_F(VulkanMatmul, SlicesOfKAddUp) {
  for (const bool is_cpu : kBoth) {
    const auto device = open_as(is_cpu);
    for (const DType type : {DType::f16, DType::f32}) {
      const Case c{9, 17, 3001, 2, true, false, type};
      EXPECT_GT(choice_of(*device, c).slices, 1u);
      expect_exact(*device, c);
      expect_exact(*device, c);  // in memory that the first run used
    }
  }
}

TEST_F(VulkanMatmul, IsCutIntoDispatchesOfFewGroups) {
  for (const bool is_cpu : kBoth) {
    const auto device = open_as(is_cpu, {3, 65535, 2});
    expect_exact(*device, {70, 90, 24, 5});
    expect_exact(*device, {9, 17, 3001, 5});
  }
}

}  // namespace
}  // namespace amphora::vulkan
