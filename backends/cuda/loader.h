// Finds and loads the CUDA module: the program's side of module.h. Nothing here needs CUDA to be built or to run.
#pragma once

#include <string>
#include <vector>

#include "backends/cuda/backend.h"

namespace amphora::cuda {

// Loads the module at `path`, for the rest of the process. Throws Error when it is missing, cannot be loaded, or is of
// another build.
const Backend& load_module(const std::string& path);

// Where the module is looked for: AMPHORA_CUDA_MODULE, else libamphora_cuda.so in ../lib, beside the program (or the
// shared library), where this build installs it, and where it leaves it.
std::vector<std::string> module_paths();

}  // namespace amphora::cuda
