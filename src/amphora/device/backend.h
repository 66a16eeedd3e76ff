// Backend: all that the rest of amphora knows of a backend beside its Device.
//
// backends/NAME/backend.h defines one, `kBackend`, and backends/registry.cpp lists it. The CUDA module exports the same
// structure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amphora/device/accuracy.h"
#include "amphora/device/device.h"

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
  bool available = false;
  std::string detail;     // the device found, or why there is none
  bool emulated = false;  // a GPU's interface on the processor: the cpu backend is faster, so "auto" leaves it out
};

struct Backend {
  std::string_view name;                                          // "cpu"
  std::string_view what;                                          // one line for people
  BackendStatus (*status)();                                      // opens nothing
  std::shared_ptr<Device> (*open)(const DeviceOptions& options);  // null: not built into this program
  std::vector<DeviceReport> (*devices)() = nullptr;               // null: one device, which needs no index
  Accuracy accuracy = {};
  bool computes = true;  // "auto" may choose it, and conformance holds it to the oracle
};

}  // namespace amphora
