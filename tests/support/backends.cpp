#include "support/backends.h"

#include <vector>

#ifdef AMPHORA_CUDA_EMULATED_MODULE
#include "backends/cuda/loader.h"
#endif

namespace amphora::testing {
namespace {

std::vector<TestedBackend> find_backends() {
  std::vector<TestedBackend> found;
  for (const Backend& row : backends()) {
    found.push_back({row.name, row, status_of, [](const Backend& backend, const DeviceOptions& options) {
                       return open_device(backend.name, options);
                     }});
  }
#ifdef AMPHORA_CUDA_EMULATED_MODULE
  found.push_back({kEmulatedCuda, backend_named(cuda::kBackend.name),
                   [](const Backend&) {
                     return BackendStatus{true, "the tests' emulator of CUDA", true};
                   },
                   [](const Backend&, const DeviceOptions& options) {
                     return cuda::load_module(AMPHORA_CUDA_EMULATED_MODULE).open(options);
                   }});
#endif
  return found;
}

}  // namespace

std::span<const TestedBackend> tested_backends() {
  static const std::vector<TestedBackend> all = find_backends();
  return all;
}

}  // namespace amphora::testing
