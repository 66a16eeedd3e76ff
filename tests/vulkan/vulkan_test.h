// What the tests of the vulkan backend share: a device, where this machine has one, and a cache folder of their own.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/vulkan/device.h"
#include "backends/vulkan/select.h"
#include "support/cpu_test.h"
#include "support/idx_files.h"

namespace amphora::vulkan {

// Sets an environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    had_ = before != nullptr;
    if (had_) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (had_) {
      setenv(name_, before_.c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* name_;
  bool had_ = false;
  std::string before_;
};

class VulkanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const BackendStatus found = status();
    if (!found.available) GTEST_SKIP() << "no Vulkan device: " << found.detail;
  }

  // Opens the device as a user does.
  static std::shared_ptr<VulkanDevice> open_vulkan(const DeviceOptions& options = {}) {
    return std::dynamic_pointer_cast<VulkanDevice>(open_device("vulkan", options));
  }
};

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

}  // namespace amphora::vulkan
