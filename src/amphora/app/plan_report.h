// Recorded steps to look at: a table, a graph, a trace.
#pragma once

#include <string>
#include <vector>

#include "amphora/app/plan_format.h"
#include "amphora/device/device.h"
#include "amphora/train/step.h"

namespace amphora::app {

// The time that each call of a step took, and at least takes.
struct CallTime {
  double seconds = 0.0;
  double bound = 0.0;  // see train/roofline.h
  std::string path;    // what ran: "simd", "matmul_coopmat_f16"
};
// Launches the calls of a recorded step one by one, in order, several times; what they leave is that of as many steps.
std::vector<CallTime> profile(Device& device, const train::StepPlan& step);

// `times` is empty for a step that was not profiled. A trace shows times; without any it shows bytes instead.
std::string report(const std::vector<train::StepPlan>& steps, const std::vector<std::vector<CallTime>>& times,
                   PlanFormat format, const DeviceInfo& device);

}  // namespace amphora::app
