// What the CUDA module - a library of its own, loaded when it is asked for - shows to the program.
//
// It exports a Backend (amphora/device/backend.h). Program and module are of one build or do not work together: C++
// objects cross between them.
#pragma once

namespace amphora::cuda {

// Names of the module's two functions. The first tells whether the second may be called: its layout is the build's.
inline constexpr const char* kVersionSymbol = "amphora_cuda_version";  // const char* ()
inline constexpr const char* kModuleSymbol = "amphora_cuda_module";    // const amphora::Backend* ()

}  // namespace amphora::cuda
