// The steps of a check: what is run, and what its outcome means.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "machine.h"
#include "runner.h"

namespace amphora::gpu_check {

struct Step {
  std::string name;            // "conformance cuda"
  std::string reason_against;  // why its backend cannot run here; empty: it can
  std::function<Finding(const Options& options)> run;
};

// A family each, for one backend.
std::vector<Step> test_steps(const Backend& backend);
std::vector<Step> sample_steps(const Backend& backend);
std::vector<Step> benchmark_steps(const Backend& backend);
std::vector<Step> watched_steps(const Backend& backend);

// All of these, in their order; the step "devices" comes before and finds the backends.
std::vector<Step> steps_for(const std::vector<Backend>& backends);

// Conformance by `command` (a program that takes amphora_conformance's flags), and what its report counts.
Finding conformance(const Options& options, const std::string& step, Command command, const std::string& backend,
                    const std::string& filter);

// The samples that were built.
std::vector<std::string> samples();

}  // namespace amphora::gpu_check
