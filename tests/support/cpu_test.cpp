#include "support/cpu_test.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace amphora::testing {

namespace {

std::uint64_t fresh_seed() {
  const char* fixed = std::getenv("AMPHORA_TEST_SEED");
  return fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device()();
}

}  // namespace

Random::Random()
    : seed_(fresh_seed()),
      engine_(seed_),
      trace_(__FILE__, __LINE__, "repeat with AMPHORA_TEST_SEED=" + std::to_string(seed_)) {}

Values Random::normals(std::int64_t count, double deviation) {
  Values values(static_cast<std::size_t>(count));
  for (double& value : values) value = normal(deviation);
  return values;
}

Values Random::uniforms(std::int64_t count, double low, double high) {
  Values values(static_cast<std::size_t>(count));
  for (double& value : values) value = uniform(low, high);
  return values;
}

ScalerState device_state(const amp::GradScaler& scaler) {
  ScalerState state;
  const auto readback = scaler.read_state();
  std::memcpy(&state, readback->get().data(), sizeof state);
  return state;
}

std::vector<std::byte> bytes_of(const Tensor& tensor) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(tensor.count()) * size_of(tensor.dtype()));
  tensor.device().download(*tensor.buffer(), static_cast<std::size_t>(tensor.offset()) * size_of(tensor.dtype()),
                           bytes);
  return bytes;
}

::testing::AssertionResult same_values(const Values& got, const Values& want) {
  if (got.size() != want.size()) {
    return ::testing::AssertionFailure() << got.size() << " values instead of " << want.size();
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(want[i])) continue;
    if (got[i] != want[i] || std::signbit(got[i]) != std::signbit(want[i])) {
      return ::testing::AssertionFailure() << "element " << i << fmt::format(": {} instead of {}", got[i], want[i]);
    }
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult close_values(const Values& got, const Values& want, double tolerance) {
  if (got.size() != want.size()) {
    return ::testing::AssertionFailure() << got.size() << " values instead of " << want.size();
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(std::abs(got[i] - want[i]) <= tolerance * (1.0 + std::abs(want[i])))) {
      return ::testing::AssertionFailure()
             << "element " << i << fmt::format(": {} instead of {}, tolerance {}", got[i], want[i], tolerance);
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace amphora::testing
