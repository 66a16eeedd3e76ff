// What the device gives (bench_ceilings), and what a step costs the host (bench_replay).
#include <utility>

#include <fmt/format.h>

#include "steps.h"

namespace amphora::gpu_check {

namespace {

Finding measure_ceilings(const Options& options, const std::string& step, const std::string& backend) {
  const std::filesystem::path file = log_file(options, step, ".json");
  std::filesystem::remove(file);
  std::vector<std::string> arguments{"--backend", backend, "--json", file.string()};
  if (options.quick) arguments.emplace_back("--quick");
  Finding finding = run_step(options, step, program(options, "bench_ceilings", arguments));
  // What was measured before a failure is kept.
  finding.details = json_of(file);
  return finding;
}

Finding measure_replay(const Options& options, const std::string& step, const std::string& backend) {
  return run_step(options, step,
                  program(options, "bench_replay", {"--backend", backend, "--steps", options.quick ? "5" : "200"}));
}

}  // namespace

std::vector<Step> benchmark_steps(const Backend& backend) {
  std::vector<Step> steps;
  for (const auto& [what, measure] : {std::pair("ceilings", &measure_ceilings), std::pair("replay", &measure_replay)}) {
    const std::string step = fmt::format("{} {}", what, backend.name);
    steps.push_back({step, backend.reason_against, [=, measure = measure, name = backend.name](const Options& options) {
                       Finding finding = measure(options, step, name);
                       if (finding.result == Result::passed) {
                         finding.measured = last_line(text_of(options.logs / finding.log));
                       }
                       return finding;
                     }});
  }
  return steps;
}

}  // namespace amphora::gpu_check
