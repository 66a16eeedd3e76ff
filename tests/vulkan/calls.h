// Calls that the tests of executables are made of.
#pragma once

#include <cstdint>

#include "vulkan_test.h"

namespace amphora::vulkan {

inline KernelCall affine(const BufferRange& x, const BufferRange& y, float p0, float p1) {
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  const UnaryParams params{static_cast<std::uint32_t>(x.bytes / sizeof(float)), p0, p1};
  return KernelCall(KernelId::unary, spec, params).with(x).with(y);
}

inline KernelCall affine(const BufferPtr& x, const BufferPtr& y, float p0, float p1) {
  return affine(all_of(x), all_of(y), p0, p1);
}

// A sum over so many floats takes its parts' sums in scratch memory.
inline constexpr std::uint32_t kManyFloats = 1 << 20;

inline KernelCall sum(const BufferRange& x, const BufferRange& y) {
  const ReduceParams params{1, static_cast<std::uint32_t>(x.bytes / sizeof(float)), 1, 1.0f, 0};
  return KernelCall(KernelId::reduce, Spec{}, params).with(x).with(y);
}

}  // namespace amphora::vulkan
