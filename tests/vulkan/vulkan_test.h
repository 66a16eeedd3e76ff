// What the tests of the vulkan backend share: a device, where this machine has one, and a cache folder of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/vulkan/backend.h"
#include "backends/vulkan/device.h"
#include "backends/vulkan/select.h"
#include "support/cpu_test.h"
#include "support/device_calls.h"
#include "support/idx_files.h"
#include "support/variable.h"

namespace amphora::vulkan {

using testing::all_of;
using testing::buffer_of;
using testing::launch_affine;
using testing::values_of;
using testing::Variable;

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

}  // namespace amphora::vulkan
