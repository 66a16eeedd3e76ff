// What the tests of CUDA's products share: a product to run, and how long the emulator says that it took.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "backends/cuda/products.h"
#include "cuda_emulator/emulator.h"
#include "cuda_test.h"

namespace amphora::cuda {

using emulator::product_counts;

// Times of products, for as long as an object lives.
class ProductTime {
 public:
  explicit ProductTime(emulator::ProductTime time) { emulator::set_product_time(std::move(time)); }
  ProductTime(const ProductTime&) = delete;
  ProductTime& operator=(const ProductTime&) = delete;
  ~ProductTime() { emulator::set_product_time({}); }
};

struct ProductShape {
  int m = 64, n = 32, k = 128;
  DType type = DType::f16;
  Activation activation = Activation::none;
  float beta = 0.0f;
};

class CudaProducts : public CudaTest {
 protected:
  // Runs x w^T with a bias, and returns the names of what ran.
  std::vector<std::string> run(CudaDevice& device, const ProductShape& s, float alpha = 1.0f) {
    const auto of = [&](int rows, int columns) {
      const std::size_t count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
      std::vector<std::byte> bytes(count * size_of(s.type));
      for (std::size_t i = 0; i < count; ++i) store_element(s.type, bytes.data(), i, static_cast<double>(i % 7) - 3.0);
      return buffer_of(device, bytes);
    };
    const BufferPtr x = of(s.m, s.k), w = of(s.n, s.k), c = of(s.m, s.n), bias = of(1, s.n);
    Spec spec{.types = {s.type, s.type, s.type, s.type}, .function = static_cast<std::uint8_t>(s.activation)};
    spec.flags = kMatmulTransposeB;
    const MatmulParams params{s.m, s.n, s.k, 1, s.k, s.k, s.n, 0, 0, 0, alpha, s.beta};
    KernelCall call(KernelId::matmul, spec, params);
    call.with(all_of(x)).with(all_of(w)).with(all_of(c));
    if (s.activation != Activation::none) call.with(all_of(bias));
    device.reset_counters();
    device.set_profiling(true);
    device.launch(call);
    device.set_profiling(false);
    result = c;
    std::vector<std::string> names;
    for (const auto& [name, count] : device.counters().paths[static_cast<std::size_t>(KernelId::matmul)]) {
      names.push_back(name);
    }
    return names;
  }

  std::string file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.path().extension() == ".products") return entry.path().string();
    }
    return {};
  }

  BufferPtr result;
};

}  // namespace amphora::cuda
