#include "steps.h"

namespace amphora::gpu_check {

std::vector<Step> steps_for(const std::vector<Backend>& backends) {
  std::vector<Step> steps;
  // What is quick and tells most comes first.
  for (const auto family : {test_steps, sample_steps, benchmark_steps, watched_steps}) {
    for (const Backend& backend : backends) {
      for (Step& step : family(backend)) steps.push_back(std::move(step));
    }
  }
  return steps;
}

}  // namespace amphora::gpu_check
