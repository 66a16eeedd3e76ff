// The steps of a check: what is run, and what its outcome means.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backends/device.h"
#include "process.h"
#include "report.h"

namespace amphora::gpu_check {

struct Options {
  std::filesystem::path programs;  // the folder of amphora_conformance, mlp, ...
  std::filesystem::path logs;
  std::vector<std::string> backends = {"cuda", "vulkan"};
  double limit_seconds = 1800.0;  // a child process
  bool quick = false;             // a sample of the tests, small benchmarks
  std::uint64_t seed = 1;
};

// A backend on this machine.
struct Backend {
  std::string name;
  std::string reason_against;  // empty: it has a device
  std::string device;
  std::vector<Precision> precisions;
};

struct Step {
  std::string name;                  // "conformance cuda"
  const Backend* backend = nullptr;  // whose device it needs; null: none
  std::function<Finding(const Options& options)> run;
};

// All steps, in their order. The backends must outlive them.
std::vector<Step> steps_for(const Options& options, const std::vector<Backend>& backends);

// The loss-scale history of a run, from the lines that a sample's --log wrote: scale and whether the step was skipped.
struct ScaleStep {
  double scale = 0.0;
  bool skipped = false;
  bool operator==(const ScaleStep&) const = default;
};
std::vector<ScaleStep> scale_history(const std::filesystem::path& log);
// Where two histories part: "step 12: 32768 here, 65536 there"; empty: nowhere.
std::string difference(const std::vector<ScaleStep>& here, const std::vector<ScaleStep>& there);

}  // namespace amphora::gpu_check
