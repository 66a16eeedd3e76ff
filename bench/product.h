// A product for benchmarks: y[rows, columns] = x[rows, depth] w[columns, depth]^T, as a linear layer asks for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "amphora/amphora.h"

namespace amphora::bench {

struct Shape3 {
  int rows, columns, depth;
  double flops() const { return 2.0 * rows * columns * depth; }
};

class Product {
 public:
  Product(Device& device, DType type, Shape3 shape)
      : device_(device),
        x_(values(type, shape.rows, shape.depth)),
        w_(values(type, shape.columns, shape.depth)),
        y_(device.allocate(size(shape.rows, shape.columns) * sizeof(float), MemoryKind::activations)),
        call_(KernelId::matmul,
              Spec{.types = {type, type, DType::f32, DType::f32}, .function = 0, .flags = kMatmulTransposeB},
              MatmulParams{.m = shape.rows,
                           .n = shape.columns,
                           .k = shape.depth,
                           .batch = 1,
                           .lda = shape.depth,
                           .ldb = shape.depth,
                           .ldc = shape.columns,
                           .a_batch_stride = 0,
                           .b_batch_stride = 0,
                           .c_batch_stride = 0,
                           .alpha = 1.0f,
                           .beta = 0.0f}) {
    for (const BufferPtr& buffer : {x_, w_, y_}) call_.with({buffer.get(), 0, buffer->bytes()});
    call_.with({}).with({});
  }

  // Of one run; the first one compiles.
  double seconds() {
    const auto start = std::chrono::steady_clock::now();
    device_.launch(call_);
    device_.wait();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return taken.count();
  }

  std::string path() const { return device_.supports(KernelId::matmul, call_.spec).path; }

 private:
  static std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

  BufferPtr values(DType type, int rows, int columns) const {
    std::vector<std::byte> bytes(size(rows, columns) * size_of(type));
    for (std::size_t i = 0; i < size(rows, columns); ++i) {
      store_element(type, bytes.data(), i, static_cast<double>(i * 7 % 17) / 8.0 - 1.0);
    }
    BufferPtr buffer = device_.allocate(bytes.size(), MemoryKind::inputs);
    device_.upload(*buffer, 0, bytes);
    return buffer;
  }

  Device& device_;
  BufferPtr x_, w_, y_;
  KernelCall call_;
};

}  // namespace amphora::bench
