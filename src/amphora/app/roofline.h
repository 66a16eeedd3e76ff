// Roofline: how near a kernel comes to what the device can do (Williams et al., "Roofline", CACM 52(4), 2009).
//
// The ceilings are measured with the device's own kernels: a copy that is too large for caches, and square products of
// each type. A kernel's bound is the longer of its bytes at the one rate and its operations at the other.
#pragma once

#include <map>

#include "amphora/device/device.h"
#include "amphora/kernel/operands.h"

namespace amphora::app {

class Roofline {
 public:
  explicit Roofline(Device& device) : device_(device) {}

  // The seconds that a call takes at least. Measures a ceiling when it is first needed, which takes a moment.
  double bound(const KernelCall& call);

  double bytes_per_second();
  // Of products whose first operand has this type.
  double flops_per_second(DType operand);

 private:
  Device& device_;
  double bytes_per_second_ = 0.0;
  std::map<DType, double> flops_per_second_;
};

// The shortest time of several launches, in seconds.
double time_of(Device& device, const KernelCall& call, int launches);

}  // namespace amphora::app
