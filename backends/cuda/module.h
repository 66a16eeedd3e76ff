// What the CUDA module - a library of its own, loaded when it is asked for - shows to the program.
//
// The two are of one build or do not work together: C++ objects cross between them.
#pragma once

#include <memory>
#include <vector>

#include "backends/device.h"
#include "backends/registry.h"

namespace amphora::cuda {

struct Module {
  BackendStatus (*status)();
  std::shared_ptr<Device> (*open)(const DeviceOptions& options);
  std::vector<DeviceReport> (*devices)();
};

// Names of the module's two functions. The first tells whether the second may be called: its layout is the build's.
inline constexpr const char* kVersionSymbol = "amphora_cuda_version";  // const char* ()
inline constexpr const char* kModuleSymbol = "amphora_cuda_module";    // const Module* ()

}  // namespace amphora::cuda
