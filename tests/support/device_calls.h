// What the tests of a device share: arrays in and out, and a call that is easy to check.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "amphora/device/device.h"

namespace amphora::testing {

template <class T>
BufferPtr buffer_of(Device& device, const std::vector<T>& values) {
  BufferPtr buffer = device.allocate(values.size() * sizeof(T), MemoryKind::inputs);
  device.upload(*buffer, 0, std::as_bytes(std::span(values)));
  return buffer;
}

template <class T>
std::vector<T> values_of(Device& device, const Buffer& buffer) {
  std::vector<T> values(buffer.bytes() / sizeof(T));
  device.download(buffer, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

inline BufferRange all_of(const BufferPtr& buffer) { return {buffer.get(), 0, buffer->bytes()}; }

// y = p0 * x + p1 over f32.
inline void launch_affine(const BufferPtr& x, const BufferPtr& y, float p0, float p1) {
  const Spec spec{.types = {}, .function = static_cast<std::uint8_t>(UnaryFunction::affine), .flags = 0};
  const UnaryParams params{static_cast<std::uint32_t>(x->bytes() / sizeof(float)), p0, p1};
  x->device().launch(KernelCall(KernelId::unary, spec, params).with(all_of(x)).with(all_of(y)));
}

}  // namespace amphora::testing
