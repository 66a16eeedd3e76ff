// Typed arrays read and written as blocks of f32.
//
// A kernel computes on f32 blocks that stay in the first-level cache; only these conversions know element types. So a
// kernel is compiled once, not once for each mix of types, and f32 operands are used where they lie.
#pragma once

#include <cstddef>
#include <cstdint>

#include "amphora/core/dtype.h"

namespace amphora::cpu::simd {

inline constexpr std::size_t kBlock = 1024;

// One block's worth of scratch.
struct alignas(64) Block {
  float values[kBlock];
};

// Conversions of `count` elements; null for f32.
using Widen = void (*)(const void* from, float* to, std::size_t count);
using Narrow = void (*)(const float* from, void* to, std::size_t count);
Widen widen_from(DType type);
Narrow narrow_to(DType type);

class Input {
 public:
  Input(DType type, const void* data)
      : data_(static_cast<const std::byte*>(data)), size_(size_of(type)), widen_(widen_from(type)) {}

  // Elements [begin, begin + count): in place if they are f32, else converted into `scratch`.
  const float* read(std::size_t begin, std::size_t count, float* scratch) const {
    const std::byte* from = data_ + begin * size_;
    if (widen_ == nullptr) return reinterpret_cast<const float*>(from);
    widen_(from, scratch, count);
    return scratch;
  }

 private:
  const std::byte* data_;
  std::size_t size_;
  Widen widen_;
};

class Output {
 public:
  Output(DType type, void* data)
      : data_(static_cast<std::byte*>(data)), size_(size_of(type)), narrow_(narrow_to(type)) {}

  // Where to compute elements from `begin` on: in place if they are f32, else `scratch`.
  float* place(std::size_t begin, float* scratch) const {
    return narrow_ == nullptr ? reinterpret_cast<float*>(data_ + begin * size_) : scratch;
  }
  // Stores what was computed at place().
  void write(std::size_t begin, std::size_t count, const float* computed) const {
    if (narrow_ != nullptr) narrow_(computed, data_ + begin * size_, count);
  }

 private:
  std::byte* data_;
  std::size_t size_;
  Narrow narrow_;
};

}  // namespace amphora::cpu::simd
