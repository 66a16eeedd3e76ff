// The backends that this program knows, and what became of them on this machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/device.h"

namespace amphora {

struct DeviceOptions {
  int threads = 0;          // of the cpu backend; 0: one for each core
  bool cpu_oracle = false;  // the cpu backend runs the scalar oracle's kernels alone
};

struct BackendStatus {
  std::string name;
  bool available = false;
  std::string detail;  // the device found, or why there is none
};

// Every known backend in the order in which "auto" tries them; opens none.
std::vector<BackendStatus> list_backends();

// Opens a device of `backend`: "auto", "cpu", "vulkan", "cuda" or "null". Throws Error that lists what there is when
// the backend is unknown, not built or has no device.
std::shared_ptr<Device> open_device(std::string_view backend, const DeviceOptions& options = {});

}  // namespace amphora
