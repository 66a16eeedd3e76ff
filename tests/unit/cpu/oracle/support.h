// Runs single kernels of the scalar oracle on host values.
#pragma once

#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/core/dtype.h"
#include "amphora/device/registry.h"

namespace amphora::testing {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr BufferRange kAbsent{};

// Elements of one type in a buffer of the device.
struct Elements {
  BufferPtr buffer;
  DType type = DType::f32;
  std::size_t count = 0;

  operator BufferRange() const { return {buffer.get(), 0, count * size_of(type)}; }

  // Values that the type holds exactly come back as they are.
  std::vector<double> read() const {
    std::vector<std::byte> bytes(count * size_of(type));
    buffer->device().download(*buffer, 0, bytes);
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = load_element(type, bytes.data(), i);
    return values;
  }
};

// A structure of kernel/shared/params.h that lives on the device.
template <class State>
struct DeviceState {
  BufferPtr buffer;

  operator BufferRange() const { return {buffer.get(), 0, sizeof(State)}; }

  State read() const {
    State state;
    buffer->device().download(*buffer, 0, std::as_writable_bytes(std::span(&state, 1)));
    return state;
  }
};

class OracleTest : public ::testing::Test {
 protected:
  Elements elements(DType type, const std::vector<double>& values) {
    std::vector<std::byte> bytes(values.size() * size_of(type));
    for (std::size_t i = 0; i < values.size(); ++i) store_element(type, bytes.data(), i, values[i]);
    Elements result{device->allocate(bytes.size(), MemoryKind::inputs), type, values.size()};
    device->upload(*result.buffer, 0, bytes);
    return result;
  }
  Elements f32(const std::vector<double>& values) { return elements(DType::f32, values); }
  Elements f64(const std::vector<double>& values) { return elements(DType::f64, values); }

  template <class State>
  DeviceState<State> state(const State& value) {
    DeviceState<State> result{device->allocate(sizeof(State), MemoryKind::optimizer_state)};
    device->upload(*result.buffer, 0, std::as_bytes(std::span(&value, 1)));
    return result;
  }

  template <class Params>
  void launch(KernelId kernel, const Spec& spec, const Params& params, std::initializer_list<BufferRange> ranges) {
    KernelCall call(kernel, spec, params);
    for (const BufferRange& range : ranges) call.with(range);
    device->launch(call);
  }

  std::shared_ptr<Device> device = open_device("cpu", {.threads = 1, .cpu_oracle = true});
};

inline void expect_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], tolerance * (1.0 + std::abs(want[i]))) << "element " << i;
  }
}

}  // namespace amphora::testing
