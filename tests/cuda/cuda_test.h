// What the tests of the cuda backend share: the emulator of CUDA, so that they run on every machine, and a cache folder
// of their own.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "backends/cuda/device.h"
#include "backends/cuda/select.h"
#include "support/cpu_test.h"
#include "support/device_calls.h"
#include "support/idx_files.h"
#include "support/variable.h"

namespace amphora::cuda {

using testing::all_of;
using testing::buffer_of;
using testing::launch_affine;
using testing::message_of;
using testing::values_of;
using testing::Variable;

inline constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// What the emulated machine is like, see tests/cuda_emulator; "" is one good device.
class Machine : public Variable {
 public:
  explicit Machine(const std::string& what) : Variable("AMPHORA_CUDA_EMULATOR", what) {}
};

class CudaTest : public ::testing::Test {
 protected:
  static std::shared_ptr<CudaDevice> open_cuda(const DeviceOptions& options = {}) {
    return std::dynamic_pointer_cast<CudaDevice>(open_device_of(options));
  }

  testing::TemporaryFolder folder;
  Variable cache{"AMPHORA_CACHE", folder.path().string()};
};

}  // namespace amphora::cuda
