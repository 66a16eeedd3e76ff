// The backends that tests run on: every one that is built, and the cuda backend on the tests' emulator of CUDA, which
// is a backend of its own here, so that "cuda" is a GPU.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "amphora/device/registry.h"

namespace amphora::testing {

inline constexpr std::string_view kEmulatedCuda = "cuda_emulated";

struct TestedBackend {
  std::string_view name;
  const Backend& row;  // of the registry
  // Opens nothing; says whether open() can.
  BackendStatus (*status)(const Backend& row);
  std::shared_ptr<Device> (*open)(const Backend& row, const DeviceOptions& options);
};

// In the registry's order.
std::span<const TestedBackend> tested_backends();

}  // namespace amphora::testing
