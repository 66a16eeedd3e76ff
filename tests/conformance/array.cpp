#include "conformance/array.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "amphora/device/registry.h"
#include "backends/cpu/kernels.h"

namespace amphora::conformance {
namespace {

Device& device() {
  static const std::shared_ptr<Device> shared = open_device("cpu", {.threads = 1});
  return *shared;
}

std::byte* data_of(const BufferRange& range) {
  const KernelCall call = KernelCall(KernelId::fill, {}, CountParams{}).with(range);
  return static_cast<std::byte*>(cpu::data_of(call, 0));
}

}  // namespace

Array::Array(DType type, std::size_t count)
    : type_(type), count_(count), buffer_(device().allocate(bytes() + 2 * kGuard, MemoryKind::activations)) {
  data_ = data_of(range());
  std::fill(data_ - kGuard, data_ + bytes() + kGuard, kPattern);
}

Array::Array(const Array& other) {
  if (!other.present()) return;
  *this = Array(other.type_, other.count_);
  row = other.row;
  std::memcpy(data_, other.data_, bytes());
}

Array& Array::operator=(const Array& other) { return *this = Array(other); }

BufferRange Array::range() const {
  if (!present()) return {};
  return {buffer_.get(), kGuard, bytes()};
}

Array Array::as(DType type) const {
  Array result(type, count_);
  for (std::size_t i = 0; i < count_; ++i) result.set(i, (*this)[i]);
  return result;
}

Array Array::over(DType type) const {
  Array result;
  result.type_ = type;
  result.count_ = count_;
  result.buffer_ = buffer_;
  result.data_ = data_;
  return result;
}

bool Array::same_bytes(const Array& other) const {
  return present() == other.present() &&
         (!present() || (bytes() == other.bytes() && std::memcmp(data_, other.data_, bytes()) == 0));
}

bool Array::guards_intact() const {
  const auto intact = [](std::byte value) { return value == kPattern; };
  return !present() ||
         (std::all_of(data_ - kGuard, data_, intact) && std::all_of(data_ + bytes(), data_ + bytes() + kGuard, intact));
}

Array Random::array(DType type, std::size_t count, double deviation) {
  Array result(type, count);
  for (std::size_t i = 0; i < count; ++i) result.set(i, normal(deviation));
  return result;
}

Array Random::integers(DType type, std::size_t count, int bound) {
  Array result(type, count);
  for (std::size_t i = 0; i < count; ++i) result.set(i, static_cast<double>(below(2 * bound + 1) - bound));
  return result;
}

}  // namespace amphora::conformance
