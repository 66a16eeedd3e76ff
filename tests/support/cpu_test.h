// What the tests of the runtime share: a cpu device, tensors from literals, seeded random numbers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "amphora/amphora.h"

namespace amphora::testing {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr DType kLowTypes[] = {DType::f16, DType::bf16};

using Values = std::vector<double>;

// A test that runs twice: with the scalar oracle's kernels and with the fast ones. Both give the same values.
class CpuTest : public ::testing::TestWithParam<bool> {
 protected:
  Tensor tensor(const Shape& shape, const Values& values, DType dtype = DType::f32) {
    return Tensor::from(*device, shape, std::span<const double>(values), dtype);
  }
  Tensor scalar(double value, DType dtype = DType::f32) { return tensor({}, {value}, dtype); }
  Tensor vector(const Values& values, DType dtype = DType::f32) {
    return tensor({static_cast<std::int64_t>(values.size())}, values, dtype);
  }
  Tensor labels(const std::vector<std::int32_t>& values) {
    return Tensor::from(*device, {static_cast<std::int64_t>(values.size())}, values);
  }
  nn::Parameter parameter(const Values& values, const std::string& name = "p") {
    return parameter_of({static_cast<std::int64_t>(values.size())}, values, name);
  }
  nn::Parameter parameter_of(const Shape& shape, const Values& values, const std::string& name = "p") {
    const std::vector<float> narrow(values.begin(), values.end());
    return {*device, name, shape, narrow};
  }
  // Gives a parameter the gradient that backward() would have left.
  void set_gradient(const nn::Parameter& target, const Values& values) {
    target.tensor().set_grad(tensor(target.shape(), values));
  }
  std::uint64_t launches(KernelId kernel) const {
    return device->counters().launches[static_cast<std::size_t>(kernel)];
  }

  std::shared_ptr<Device> device = open_device("cpu", {.threads = 2, .cpu_oracle = GetParam()});
};

inline std::string kernels_name(const ::testing::TestParamInfo<bool>& info) { return info.param ? "oracle" : "simd"; }

#define AMPHORA_ON_CPU(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cpu, Suite, ::testing::Values(true, false), ::amphora::testing::kernels_name)

// Random numbers of one test: the seed is fresh in every run and printed when the test fails; AMPHORA_TEST_SEED fixes
// it.
class Random {
 public:
  Random();

  double normal(double deviation = 1.0) { return deviation * normal_(engine_); }
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }
  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
  std::uint64_t bits64() { return engine_(); }
  Values normals(std::int64_t count, double deviation = 1.0);
  Values uniforms(std::int64_t count, double low, double high);

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
  ::testing::ScopedTrace trace_;
};

// Stands for an optimizer whose gradients a test chooses freely.
class GradientList : public amp::GradientOwner {
 public:
  explicit GradientList(std::vector<Tensor> gradients) : gradients_(std::move(gradients)) {}
  std::vector<Tensor> gradients() const override { return gradients_; }
  void apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) override {
    ++applications;
    saw_stats = stats.defined();
    saw_scaler = scaler_state.defined();
    saw_unscale = unscale;
  }

  int applications = 0;
  bool saw_stats = false;
  bool saw_scaler = false;
  bool saw_unscale = false;

 private:
  std::vector<Tensor> gradients_;
};

// What the scaler keeps on the device.
ScalerState device_state(const amp::GradScaler& scaler);

// The bytes of a contiguous tensor.
std::vector<std::byte> bytes_of(const Tensor& tensor);

// The same doubles, any NaN equal to any other.
::testing::AssertionResult same_values(const Values& got, const Values& want);
inline ::testing::AssertionResult same_values(const Tensor& got, const Values& want) {
  return same_values(got.to_doubles(), want);
}
// |got - want| <= tolerance * (1 + |want|) for each element.
::testing::AssertionResult close_values(const Values& got, const Values& want, double tolerance);

// The message of the Error that `call` throws; empty if it throws none.
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace amphora::testing
