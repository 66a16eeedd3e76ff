// The loss-scale history of a training run, which must be the same on every backend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace amphora::gpu_check {

// The loss scale that a step used, and whether it was skipped.
struct ScaleStep {
  double scale = 0.0;
  bool skipped = false;
  bool operator==(const ScaleStep&) const = default;
};

// From the lines that a sample's --log writes.
std::vector<ScaleStep> scale_history(std::string_view lines);

// Where two histories part: "step 12: 32768 here, 65536 there"; empty: nowhere.
std::string difference(const std::vector<ScaleStep>& here, const std::vector<ScaleStep>& there);

}  // namespace amphora::gpu_check
