#include "backends/vulkan/self_test.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "amphora/core/error.h"
#include "amphora/core/rng.h"
#include "amphora/device/disk_cache.h"
#include "backends/vulkan/device.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/shader_library.h"

namespace amphora::vulkan {
namespace {

// Verdicts by the name of what was tested; empty: it works. Known for one build of the shaders.
class Verdicts {
 public:
  explicit Verdicts(const Capabilities& capabilities) : path_(cache_path(capabilities, "selftest")), build_(build()) {
    const auto content = read_cache(path_);
    if (!content) return;
    const auto* text = reinterpret_cast<const char*>(content->data());
    const auto json = nlohmann::json::parse(text, text + content->size(), nullptr, false);
    if (json.is_object() && json.value("build", 0u) == build_) known_ = json.value("verdicts", known_);
  }

  std::string find(const std::string& name, const std::function<std::string()>& test) {
    const auto found = known_.find(name);
    if (found != known_.end()) return found->second;
    std::string verdict = test();
    known_[name] = verdict;
    const std::string text = nlohmann::json{{"build", build_}, {"verdicts", known_}}.dump();
    write_cache(path_, std::as_bytes(std::span(text)));
    return verdict;
  }

 private:
  static std::uint32_t build() {
    uLong sum = 0;
    for (const ShaderModule& module : shader_library()) {
      sum = crc32_z(sum, reinterpret_cast<const Bytef*>(module.words.data()), module.words.size_bytes());
    }
    return static_cast<std::uint32_t>(sum);
  }

  std::string path_;
  std::uint32_t build_;
  std::map<std::string, std::string> known_;
};

template <class T>
BufferPtr upload(Device& device, const std::vector<T>& values) {
  BufferPtr buffer = device.allocate(values.size() * sizeof(T), MemoryKind::inputs);
  device.upload(*buffer, 0, std::as_bytes(std::span(values)));
  return buffer;
}

template <class T>
std::vector<T> download(Device& device, const Buffer& buffer) {
  std::vector<T> values(buffer.bytes() / sizeof(T));
  device.download(buffer, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

BufferRange all_of(const BufferPtr& buffer) { return {buffer.get(), 0, buffer->bytes()}; }

// ---- conversions ----

template <class To, class From>
std::vector<To> cast(Device& device, DType from, DType to, const std::vector<From>& values) {
  const BufferPtr source = upload(device, values);
  const BufferPtr target = device.allocate(values.size() * sizeof(To), MemoryKind::activations);
  const CountParams params{static_cast<std::uint32_t>(values.size())};
  device.launch(
      KernelCall(KernelId::cast, Spec{.types = {from, to}}, params).with(all_of(source)).with(all_of(target)));
  return download<To>(device, *target);
}

// Every f16 pattern, and the three f32 numbers around the midpoint to its neighbour.
std::string test_conversions(Device& device) {
  std::vector<std::uint16_t> halves(65536);
  std::vector<std::uint32_t> floats;
  for (std::size_t i = 0; i < halves.size(); ++i) {
    halves[i] = static_cast<std::uint16_t>(i);
    const auto exact = std::bit_cast<std::uint32_t>(to_f32(F16{halves[i]}));
    for (const std::uint32_t offset : {0u, 0xFFFu, 0x1000u, 0x1001u}) floats.push_back(exact + offset);
  }
  const auto widened = cast<std::uint32_t>(device, DType::f16, DType::f32, halves);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const float expected = to_f32(F16{halves[i]});
    if (widened[i] != std::bit_cast<std::uint32_t>(expected)) {
      return fmt::format("f16 {:#06x} becomes f32 {:#010x}", halves[i], widened[i]);
    }
  }
  const auto narrowed = cast<std::uint16_t>(device, DType::f32, DType::f16, floats);
  for (std::size_t i = 0; i < floats.size(); ++i) {
    if (narrowed[i] != to_f16(std::bit_cast<float>(floats[i])).bits) {
      return fmt::format("f32 {:#010x} becomes f16 {:#06x}", floats[i], narrowed[i]);
    }
  }
  return {};
}

// ---- products ----

struct Product {
  int m, n, k;
  bool transpose_a, transpose_b;
  int offset;  // elements before a and b in their buffers
};

// Small integers: every sum is exact in f32, whatever the order.
std::vector<std::uint16_t> integers(DType type, std::size_t count, std::uint64_t stream) {
  std::vector<std::uint16_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(random_below({1, stream}, i, 17)) - 8.0;
    values[i] = type == DType::f16 ? to_f16(value).bits : to_bf16(value).bits;
  }
  return values;
}

double value_of(DType type, std::uint16_t bits) {
  return static_cast<double>(type == DType::f16 ? to_f32(F16{bits}) : to_f32(BF16{bits}));
}

KernelCall product_call(const Product& p, DType type, const BufferPtr& a, const BufferPtr& b, const BufferPtr& c) {
  const MatmulParams params{.m = p.m,
                            .n = p.n,
                            .k = p.k,
                            .batch = 1,
                            .lda = p.transpose_a ? p.m : p.k,
                            .ldb = p.transpose_b ? p.k : p.n,
                            .ldc = p.n,
                            .a_batch_stride = 0,
                            .b_batch_stride = 0,
                            .c_batch_stride = 0,
                            .alpha = 1.0f,
                            .beta = 0.0f};
  const auto flags =
      static_cast<std::uint8_t>((p.transpose_a ? kMatmulTransposeA : 0) | (p.transpose_b ? kMatmulTransposeB : 0));
  const auto offset = static_cast<std::size_t>(p.offset) * 2;
  KernelCall call(KernelId::matmul, Spec{.types = {type, type, DType::f32, DType::f32}, .function = 0, .flags = flags},
                  params);
  call.with({a.get(), offset, a->bytes() - offset}).with({b.get(), offset, b->bytes() - offset}).with(all_of(c));
  return call.with({}).with({});
}

std::string test_product(Device& device, DType type, const Product& p) {
  const auto size = [](int x, int y) { return static_cast<std::size_t>(x) * static_cast<std::size_t>(y); };
  const auto offset = static_cast<std::size_t>(p.offset);
  const auto a = integers(type, offset + size(p.m, p.k), 1);
  const auto b = integers(type, offset + size(p.k, p.n), 2);
  const BufferPtr c = device.allocate(size(p.m, p.n) * sizeof(float), MemoryKind::activations);
  device.launch(product_call(p, type, upload(device, a), upload(device, b), c));
  const std::vector<float> actual = download<float>(device, *c);
  for (int i = 0; i < p.m; ++i) {
    for (int j = 0; j < p.n; ++j) {
      double sum = 0.0;
      for (int l = 0; l < p.k; ++l) {
        sum += value_of(type, a[offset + (p.transpose_a ? size(l, p.m) + static_cast<std::size_t>(i)
                                                        : size(i, p.k) + static_cast<std::size_t>(l))]) *
               value_of(type, b[offset + (p.transpose_b ? size(j, p.k) + static_cast<std::size_t>(l)
                                                        : size(l, p.n) + static_cast<std::size_t>(j))]);
      }
      const float found = actual[size(i, p.n) + static_cast<std::size_t>(j)];
      if (static_cast<double>(found) != sum) {
        return fmt::format("element ({}, {}) of a {}x{}x{} product is {} instead of {}", i, j, p.m, p.n, p.k, found,
                           sum);
      }
    }
  }
  return {};
}

// Both layouts of both operands; sizes that fill tiles and sizes that don't; addresses that are aligned and that are
// not. Only a GPU has the large tiles that the large sizes are cut into.
std::string test_products(Device& device, DType type, bool is_cpu) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      const Product small[] = {{64, 64, 64, transpose_a, transpose_b, 0}, {37, 51, 43, transpose_a, transpose_b, 3}};
      const Product large[] = {{1536, 1408, 64, transpose_a, transpose_b, 0},
                               {1417, 1289, 43, transpose_a, transpose_b, 3}};
      std::vector<Product> products(std::begin(small), std::end(small));
      if (!is_cpu) products.insert(products.end(), std::begin(large), std::end(large));
      for (const Product& p : products) {
        std::string verdict = test_product(device, type, p);
        if (!verdict.empty()) return verdict;
      }
    }
  }
  return {};
}

double seconds_of_product(Device& device, DType type) {
  constexpr int kSize = 1024;
  constexpr std::size_t kCount = std::size_t{kSize} * kSize;
  const BufferPtr a = upload(device, integers(type, kCount, 1));
  const BufferPtr b = upload(device, integers(type, kCount, 2));
  const BufferPtr c = device.allocate(kCount * sizeof(float), MemoryKind::activations);
  const KernelCall call = product_call({kSize, kSize, kSize, false, true, 0}, type, a, b, c);
  device.launch(call);  // compiles
  device.set_profiling(true);
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 3; ++i) {
    device.reset_counters();
    device.launch(call);
    best = std::min(best, device.counters().seconds[static_cast<std::size_t>(KernelId::matmul)]);
  }
  return best;
}

// Opens the candidate with one matrix shape, or none.
std::unique_ptr<VulkanDevice> open_with(Candidate candidate, const MatrixShape* shape) {
  candidate.capabilities.matrix_shapes.clear();
  if (shape != nullptr) candidate.capabilities.matrix_shapes.push_back(*shape);
  candidate.capabilities.bf16_matrices = shape != nullptr && shape->operand == DType::bf16;
  return std::make_unique<VulkanDevice>(candidate);
}

std::string test_shape(const Candidate& candidate, const MatrixShape& shape) {
  const auto device = open_with(candidate, &shape);
  std::string verdict = test_products(*device, shape.operand, candidate.capabilities.is_cpu);
  // A CPU's driver always emulates; there the shaders are run to be tested.
  if (!verdict.empty() || candidate.capabilities.is_cpu) return verdict;
  const double matrices = seconds_of_product(*device, shape.operand);
  const double fma = seconds_of_product(*open_with(candidate, nullptr), shape.operand);
  if (matrices <= fma) return {};
  return fmt::format("emulated: a product takes {:.1f} times as long as without them", matrices / fma);
}

}  // namespace

void apply_self_test(Candidate& candidate) {
  Capabilities& c = candidate.capabilities;
  Verdicts verdicts(c);
  const std::string conversions =
      verdicts.find("f16 conversions", [&] { return test_conversions(*open_with(candidate, nullptr)); });
  if (!conversions.empty()) {
    c.hardware_f16 = false;
    c.unused.push_back(fmt::format("the driver's f16 conversions: {}", conversions));
  }
  std::erase_if(c.matrix_shapes, [&](const MatrixShape& shape) {
    const std::string name =
        fmt::format("{} cooperative matrix {}x{}x{}", name_of(shape.operand), shape.m, shape.n, shape.k);
    const std::string verdict = verdicts.find(name, [&] { return test_shape(candidate, shape); });
    if (!verdict.empty()) c.unused.push_back(fmt::format("{}: {}", name, verdict));
    return !verdict.empty();
  });
  c.bf16_matrices = c.matrix_shape(DType::bf16) != nullptr;
}

}  // namespace amphora::vulkan
