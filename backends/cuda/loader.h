// Finds and loads the CUDA module: the program's side of module.h. Nothing here needs CUDA to be built or to run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/cuda/module.h"

namespace amphora::cuda {

// Loads the module at `path`, for the rest of the process. Throws Error when it is missing, cannot be loaded, or is of
// another build.
const Module& load_module(const std::string& path);

// Where the module is looked for: AMPHORA_CUDA_MODULE, else libamphora_cuda.so in ../lib and beside the program.
std::vector<std::string> module_paths();

// Of the backend; says why there is none: no module, no driver, or what the module finds. A module on a machine without
// a driver is not loaded at all, because its libraries are large.
BackendStatus status();
std::shared_ptr<Device> open(const DeviceOptions& options);
std::vector<DeviceReport> devices();

}  // namespace amphora::cuda
