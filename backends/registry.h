// The backends that this program knows, and what became of them on this machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/device.h"

namespace amphora {

struct DeviceOptions {
  int threads = 0;                 // of the cpu backend; 0: one for each core
  bool cpu_oracle = false;         // the cpu backend runs the scalar oracle's kernels alone
  std::string device = {};         // of several: its index, or a part of its name; empty: the first
  bool cooperative_matrix = true;  // the vulkan backend may use them for products
};

// A physical device of a backend, for people: facts by name, and why it cannot be opened (empty: it can).
struct DeviceReport {
  std::string name;
  std::string reason_against;
  std::vector<std::pair<std::string, std::string>> facts;
};

struct BackendStatus {
  std::string name;
  bool available = false;
  std::string detail;     // the device found, or why there is none
  bool emulated = false;  // a GPU's interface on the processor: the cpu backend is faster, so "auto" leaves it out
};

// Every known backend, built or not, with what it is.
std::vector<std::pair<std::string_view, std::string_view>> known_backends();

// Every known backend in the order in which "auto" tries them; opens none.
std::vector<BackendStatus> list_backends();

// The devices of an available backend, in the order of their index; testing what they can may take some seconds the
// first time.
std::vector<DeviceReport> list_devices(std::string_view backend);

// Opens a device of `backend`: "auto", "cpu", "vulkan", "cuda" or "null". Throws Error that lists what there is when
// the backend is unknown, not built or has no device.
std::shared_ptr<Device> open_device(std::string_view backend, const DeviceOptions& options = {});

}  // namespace amphora
