// A cpu device that lacks every fused kernel: their ops compose them of others.
#pragma once

#include <memory>

#include "backends/cpu/device.h"

namespace amphora::testing {

inline std::shared_ptr<Device> open_without_fused(const DeviceOptions& options = {}) {
  struct WithoutFused : cpu::CpuDevice {
    explicit WithoutFused(const DeviceOptions& given) : CpuDevice(given) { info_.fused = {}; }
  };
  return std::make_shared<WithoutFused>(options);
}

}  // namespace amphora::testing
