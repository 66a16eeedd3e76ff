// What a CUDA device offers, and what of it this backend uses.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace amphora::cuda {

struct Capabilities {
  int index = 0;     // of the device, as the CUDA runtime counts
  std::string name;  // "NVIDIA H100 80GB HBM3"
  int major = 0;     // compute capability
  int minor = 0;
  int driver = 0;            // 13000: the newest CUDA version that the driver runs
  int runtime = 0;           // of the CUDA runtime in this module
  std::size_t cublaslt = 0;  // version of cuBLASLt
  std::size_t memory_bytes = 0;
  std::size_t l2_bytes = 0;
  int multiprocessors = 0;
  int max_threads = 0;    // a multiprocessor
  bool emulated = false;  // no GPU: the tests' emulator

  int compute_capability() const { return 10 * major + minor; }
  // Tensor Cores multiply bf16 and TF32 from Ampere on; f16 from Turing on.
  bool multiplies_bf16() const { return compute_capability() >= 80; }
  bool multiplies_tf32() const { return compute_capability() >= 80; }
};

// The name under which the tests' emulator of CUDA shows its device.
inline constexpr const char* kEmulatorName = "amphora's emulator of CUDA";

// Asks a device what it is. Throws Error.
Capabilities inspect(int index);

}  // namespace amphora::cuda
