// Device memory for benchmarks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include "amphora/core/dtype.h"
#include "amphora/device/device.h"

namespace amphora::bench {

class Arrays {
 public:
  explicit Arrays(Device& device) : device_(device) {}

  // Normal random numbers, or integers below 1000: what is computed with must not be all zeros, which takes less power.
  // The same numbers come again and again.
  BufferPtr random(DType type, std::size_t count) {
    constexpr std::size_t kBlock = 65536;
    std::vector<std::byte> block(kBlock * size_of(type));
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < kBlock; ++i) {
      store_element(type, block.data(), i, type == DType::i32 ? static_cast<double>(i % 1000) : normal(engine_));
    }
    const std::size_t bytes = count * size_of(type);
    BufferPtr buffer = device_.allocate(bytes, MemoryKind::inputs);
    for (std::size_t at = 0; at < bytes; at += block.size()) {
      device_.upload(*buffer, at, std::span(block).first(std::min(block.size(), bytes - at)));
    }
    return buffer;
  }

  BufferPtr filled(std::size_t count, float value) {
    BufferPtr buffer = device_.allocate(count * sizeof(float), MemoryKind::inputs);
    const FillParams params{static_cast<std::uint32_t>(count), value};
    device_.launch(KernelCall(KernelId::fill, Spec{{DType::f32}}, params).with({buffer.get(), 0, buffer->bytes()}));
    return buffer;
  }

  template <class State>
  BufferPtr state(const State& value) {
    BufferPtr buffer = device_.allocate(sizeof(State), MemoryKind::inputs);
    device_.upload(*buffer, 0, std::as_bytes(std::span(&value, 1)));
    return buffer;
  }

 private:
  Device& device_;
  std::mt19937_64 engine_{1};
};

}  // namespace amphora::bench
