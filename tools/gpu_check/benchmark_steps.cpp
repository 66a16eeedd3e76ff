// What the device gives: bench_ceilings.
#include <fmt/format.h>

#include "steps.h"

namespace amphora::gpu_check {

std::vector<Step> benchmark_steps(const Backend& backend) {
  const std::string step = "ceilings " + backend.name;
  return {{step, backend.reason_against, [=, name = backend.name](const Options& options) {
             const std::filesystem::path json = log_file(options, step, ".json");
             std::filesystem::remove(json);
             std::vector<std::string> arguments{"--backend", name, "--json", json.string()};
             if (options.quick) arguments.emplace_back("--quick");
             Finding finding = run_step(options, step, program(options, "bench_ceilings", arguments));
             // What was measured before a failure is kept.
             finding.details = json_of(json);
             if (finding.result == Result::passed) finding.measured = last_line(text_of(options.logs / finding.log));
             return finding;
           }}};
}

}  // namespace amphora::gpu_check
