// The driver's functions that the CUDA runtime does not offer, found at run time: the module is linked to no driver.
#pragma once

#include <cuda.h>

namespace amphora::cuda {

struct Driver {
  // Throws Error when the driver lacks one of them. A device must have been set.
  Driver();

  decltype(&cuDeviceGetAttribute) device_attribute = nullptr;
  decltype(&cuMemAddressReserve) reserve = nullptr;
  decltype(&cuMemAddressFree) free = nullptr;
  decltype(&cuMemCreate) create = nullptr;
  decltype(&cuMemRelease) release = nullptr;
  decltype(&cuMemMap) map = nullptr;
  decltype(&cuMemUnmap) unmap = nullptr;
  decltype(&cuMemSetAccess) set_access = nullptr;
  decltype(&cuGetErrorName) error_name = nullptr;

  // Throws Error unless `result` is success. `what` names what was asked.
  void check(CUresult result, const char* what) const;
};

}  // namespace amphora::cuda
