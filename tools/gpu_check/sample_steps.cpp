// Each sample in each precision, beside the cpu backend with the same seeds.
#include <cmath>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "history.h"
#include "quick_data.h"
#include "steps.h"

namespace amphora::gpu_check {
namespace {

using nlohmann::ordered_json;

constexpr double kMaxDifference = 0.3;  // points of mean test accuracy, to the cpu backend
constexpr int kSeeds = 3;               // one run's accuracy varies by about as much

struct Run {
  Finding finding;
  double accuracy = 0.0;
  double step_ms = 0.0;
  std::uint64_t skipped = 0;
  std::vector<ScaleStep> scales = {};
};

Run train(const Options& options, const std::string& sample, const std::string& backend, const std::string& precision,
          std::uint64_t seed) {
  const std::string name = fmt::format("{} {} {} seed {}", sample, backend, precision, seed);
  const std::filesystem::path summary = log_file(options, name, ".json"), lines = log_file(options, name, ".jsonl");
  std::vector<std::string> arguments{"--backend",          backend,     "--precision",    precision, "--seed",
                                     std::to_string(seed), "--summary", summary.string(), "--log",   lines.string()};
  if (options.quick) {
    // The first scales overflow, so that there are steps to skip.
    arguments.insert(arguments.end(), {"--data", quick_data(options.logs).string(), "--epochs", "2", "--batch-size",
                                       "50", "--init-scale", "1e9"});
  }
  Run result{run_step(options, name, program(options, sample, arguments))};
  if (result.finding.result != Result::passed) return result;
  const ordered_json json = json_of(summary);
  if (!json.is_object() || !json.at("test_accuracy").is_number()) {
    fail(result.finding, "no test accuracy in " + summary.filename().string(), {});
    return result;
  }
  result.accuracy = json.at("test_accuracy").get<double>();
  result.step_ms = json.at("median_step_ms").get<double>();
  result.skipped = json.at("skipped_steps").get<std::uint64_t>();
  result.scales = scale_history(text_of(lines));
  return result;
}

// The cpu backend's run, made once. It has no TF32, which is held to f32.
const Run& reference(const Options& options, const std::string& sample, const std::string& precision,
                     std::uint64_t seed) {
  static std::map<std::string, Run> runs;
  const std::string own = precision == "tf32" ? "f32" : precision;
  const auto [found, is_new] = runs.try_emplace(fmt::format("{} {} {}", sample, own, seed));
  if (is_new) found->second = train(options, sample, "cpu", own, seed);
  return found->second;
}

// Runs of one backend with several seeds, beside the cpu's.
class Comparison {
 public:
  // False where a run failed, which is the finding then.
  bool add(std::uint64_t seed, const Run& run, const Run& cpu) {
    finding_.seconds += run.finding.seconds;
    finding_.log = run.finding.log;
    for (const Run* each : {&run, &cpu}) {
      if (each->finding.result == Result::passed) continue;
      fail(finding_, each->finding.step + ": " + each->finding.measured, each->finding.output);
      return false;
    }
    seeds_.push_back(seed);
    accuracy_ += run.accuracy;
    cpu_accuracy_ += cpu.accuracy;
    step_ms_ += run.step_ms;
    cpu_step_ms_ += cpu.step_ms;
    skipped_ += run.skipped;
    const std::string parted = difference(run.scales, cpu.scales);
    if (parted_.empty() && !parted.empty()) parted_ = fmt::format("seed {}, {}", seed, parted);
    return true;
  }

  Finding finish() {
    const auto runs = static_cast<double>(seeds_.size());
    const double accuracy = accuracy_ / runs, cpu = cpu_accuracy_ / runs;
    finding_.measured =
        fmt::format("accuracy {:.2f} %, cpu {:.2f} % ({:+.2f}); step {:.3f} ms, cpu {:.3f} ms; {} steps skipped, {}",
                    accuracy, cpu, accuracy - cpu, step_ms_ / runs, cpu_step_ms_ / runs, skipped_,
                    parted_.empty() ? "the cpu's loss scales" : "loss scales part at " + parted_);
    finding_.details = {{"seeds", seeds_},
                        {"test_accuracy", accuracy},
                        {"cpu_test_accuracy", cpu},
                        {"difference", accuracy - cpu},
                        {"median_step_ms", step_ms_ / runs},
                        {"cpu_median_step_ms", cpu_step_ms_ / runs},
                        {"skipped_steps", skipped_},
                        {"loss_scales_part_at", parted_}};
    // A comparison with NaN is false.
    if (std::abs(accuracy - cpu) <= kMaxDifference && parted_.empty()) return finding_;
    fail(finding_, finding_.measured,
         fmt::format("the bar is {} points of accuracy, and the same loss scale in every step", kMaxDifference));
    return finding_;
  }

  Finding& finding() { return finding_; }

 private:
  Finding finding_;
  std::vector<std::uint64_t> seeds_;
  double accuracy_ = 0.0, cpu_accuracy_ = 0.0, step_ms_ = 0.0, cpu_step_ms_ = 0.0;
  std::uint64_t skipped_ = 0;
  std::string parted_;
};

Finding compare(const Options& options, const std::string& sample, const std::string& backend,
                const std::string& precision) {
  Comparison comparison;
  const std::uint64_t count = options.quick ? 1 : kSeeds;
  for (std::uint64_t seed = options.seed; seed < options.seed + count; ++seed) {
    const Run run = train(options, sample, backend, precision, seed);
    if (!comparison.add(seed, run, reference(options, sample, precision, seed))) return comparison.finding();
  }
  return comparison.finish();
}

}  // namespace

std::vector<std::string> samples() {
  std::vector<std::string> names;
  std::istringstream words(AMPHORA_SAMPLE_NAMES);
  for (std::string name; words >> name;) names.push_back(name);
  return names;
}

std::vector<Step> sample_steps(const Backend& backend) {
  std::vector<Step> steps;
  for (const std::string& sample : samples()) {
    for (const std::string& precision : backend.precisions) {
      steps.push_back(
          {fmt::format("{} {} {}", sample, backend.name, precision), backend.reason_against,
           [=, name = backend.name](const Options& options) { return compare(options, sample, name, precision); }});
    }
  }
  return steps;
}

}  // namespace amphora::gpu_check
