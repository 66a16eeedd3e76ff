// The two functions that the module exports.
#include "backends/cuda/device.h"
#include "backends/cuda/module.h"
#include "backends/cuda/select.h"

extern "C" {

[[gnu::visibility("default")]] const char* amphora_cuda_version() { return AMPHORA_MODULE_VERSION; }

[[gnu::visibility("default")]] const amphora::cuda::Module* amphora_cuda_module() {
  static constexpr amphora::cuda::Module kModule{amphora::cuda::status_of_devices, amphora::cuda::open_device_of,
                                                 amphora::cuda::report_devices};
  return &kModule;
}

}  // extern "C"
