#include "backends/cuda/driver.h"

#include <cuda_runtime.h>

#include "amphora/core/error.h"
#include "backends/cuda/check.h"

namespace amphora::cuda {
namespace {

template <class Function>
void find(const char* name, Function& function) {
  // The version of CUDA in which all of these exist.
  constexpr unsigned kVersion = 10020;
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(cudaGetDriverEntryPointByVersion(name, &address, kVersion, cudaEnableDefault, &found), "asking the driver");
  require(found == cudaDriverEntryPointSuccess && address != nullptr, "the NVIDIA driver has no {}", name);
  function = reinterpret_cast<Function>(address);
}

}  // namespace

Driver::Driver() {
  find("cuDeviceGetAttribute", device_attribute);
  find("cuMemAddressReserve", reserve);
  find("cuMemAddressFree", free);
  find("cuMemCreate", create);
  find("cuMemRelease", release);
  find("cuMemMap", map);
  find("cuMemUnmap", unmap);
  find("cuMemSetAccess", set_access);
  find("cuGetErrorName", error_name);
}

void Driver::check(CUresult result, const char* what) const {
  if (result == CUDA_SUCCESS) return;
  const char* name = nullptr;
  error_name(result, &name);
  fail("the NVIDIA driver failed while {}: {}", what, name == nullptr ? "an unknown error" : name);
}

}  // namespace amphora::cuda
