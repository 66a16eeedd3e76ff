// The two functions that the module exports.
#include "backends/cuda/backend.h"
#include "backends/cuda/module.h"
#include "backends/cuda/select.h"

extern "C" {

[[gnu::visibility("default")]] const char* amphora_cuda_version() { return AMPHORA_MODULE_VERSION; }

[[gnu::visibility("default")]] const amphora::Backend* amphora_cuda_module() {
  using namespace amphora::cuda;
  static constexpr amphora::Backend kModule{.name = kBackend.name,
                                            .what = kBackend.what,
                                            .status = status_of_devices,
                                            .open = open_device_of,
                                            .devices = report_devices,
                                            .accuracy = kBackend.accuracy};
  return &kModule;
}

}  // extern "C"
