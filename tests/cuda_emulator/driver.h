// The driver's functions that cudaGetDriverEntryPointByVersion() gives out.
#pragma once

#include <string>

namespace amphora::emulator {

// Null for one that is not emulated.
void* driver_function(const std::string& name);

}  // namespace amphora::emulator
