// What the runtime relies on in every device, whatever kernels it has: a suite of tests that each backend gets by
// having a row in the registry.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/backends.h"
#include "support/device_calls.h"

namespace amphora::testing {

inline constexpr std::size_t kMebibyte = std::size_t{1} << 20;

class Contract : public ::testing::TestWithParam<TestedBackend> {
 protected:
  void SetUp() override {
    const BackendStatus status = GetParam().status(GetParam().row);
    if (!status.available) GTEST_SKIP() << GetParam().name << ": " << status.detail;
  }

  static std::shared_ptr<Device> open() { return GetParam().open(GetParam().row, {}); }

  // A backend that only counts keeps nothing of what is written: values can't be expected of it.
  static bool computes() { return GetParam().row.computes; }
  template <class T>
  static void expect_values(const std::vector<T>& actual, const std::vector<T>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    if (computes()) {
      EXPECT_EQ(actual, expected);
    }
  }
};

}  // namespace amphora::testing
