// Each sample in each precision, beside the cpu backend with the same seeds.
#include <cmath>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "history.h"
#include "sample_facts.h"
#include "steps.h"

namespace amphora::gpu_check {
namespace {

using io::Json;

constexpr int kSeeds = 3;

struct Run {
  Finding finding;
  std::vector<double> metrics = {};  // in the order of the sample's facts
  double step_ms = 0.0;
  std::uint64_t skipped = 0;
  std::vector<ScaleStep> scales = {};
};

// Asked once.
const SampleFacts& facts_of(const Options& options, const std::string& sample) {
  static std::map<std::string, SampleFacts> known;
  const auto [found, is_new] = known.try_emplace(sample);
  if (is_new) {
    const Finding asked = run_step(options, sample + " describe", program(options, sample, {"--describe"}));
    if (asked.result == Result::passed) found->second = sample_facts(text_of(options.logs / asked.log));
  }
  return found->second;
}

Run train(const Options& options, const std::string& sample, const std::string& backend, const std::string& precision,
          std::uint64_t seed) {
  const SampleFacts& facts = facts_of(options, sample);
  const std::string name = fmt::format("{} {} {} seed {}", sample, backend, precision, seed);
  const std::filesystem::path summary = log_file(options, name, ".json"), lines = log_file(options, name, ".jsonl");
  std::vector<std::string> arguments{"--backend",          backend,     "--precision",    precision, "--seed",
                                     std::to_string(seed), "--summary", summary.string(), "--log",   lines.string()};
  if (options.quick) arguments.insert(arguments.end(), facts.quick.begin(), facts.quick.end());
  Run result{run_step(options, name, program(options, sample, arguments))};
  if (result.finding.result != Result::passed) return result;
  const Json json = json_of(summary);
  for (const MetricFacts& metric : facts.metrics) {
    if (!json.contains(metric.name) || !json.at(metric.name).is_number()) {
      fail(result.finding, fmt::format("no {} in {}", metric.name, summary.filename().string()), {});
      return result;
    }
    result.metrics.push_back(json.at(metric.name).number());
  }
  result.step_ms = json.at("median_step_ms").number();
  result.skipped = json.at("skipped_steps").count();
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
  explicit Comparison(const SampleFacts& facts)
      : facts_(facts), sums_(facts.metrics.size()), cpu_sums_(facts.metrics.size()) {}

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
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      sums_[i] += run.metrics[i];
      cpu_sums_[i] += cpu.metrics[i];
    }
    step_ms_ += run.step_ms;
    cpu_step_ms_ += cpu.step_ms;
    skipped_ += run.skipped;
    const std::string parted = difference(run.scales, cpu.scales);
    if (parted_.empty() && !parted.empty()) parted_ = fmt::format("seed {}, {}", seed, parted);
    return true;
  }

  Finding finish() {
    const auto runs = static_cast<double>(seeds_.size());
    bool close = true;
    std::string bars;
    Json metrics = Json::array();
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const MetricFacts& metric = facts_.metrics[i];
      const double value = sums_[i] / runs, cpu = cpu_sums_[i] / runs;
      close = close && std::abs(value - cpu) <= metric.max_difference;  // false with NaN
      bars += fmt::format("a difference of {} in {}, ", metric.max_difference, metric.name);
      finding_.measured += fmt::format("{} {}, cpu {} ({}); ", metric.name, metric.str(value), metric.str(cpu),
                                       metric.difference(value - cpu));
      metrics.push_back({{"name", metric.name},
                         {"value", value},
                         {"cpu", cpu},
                         {"difference", value - cpu},
                         {"shown", std::vector{metric.str(value), metric.str(cpu), metric.difference(value - cpu)}}});
    }
    finding_.measured +=
        fmt::format("step {:.3f} ms, cpu {:.3f} ms; {} steps skipped, {}", step_ms_ / runs, cpu_step_ms_ / runs,
                    skipped_, parted_.empty() ? "the cpu's loss scales" : "loss scales part at " + parted_);
    finding_.details = {{"seeds", seeds_},
                        {"metrics", metrics},
                        {"median_step_ms", step_ms_ / runs},
                        {"cpu_median_step_ms", cpu_step_ms_ / runs},
                        {"skipped_steps", skipped_},
                        {"loss_scales_part_at", parted_}};
    if (close && parted_.empty()) return finding_;
    fail(finding_, finding_.measured, fmt::format("the bar is {}and the same loss scale in every step", bars));
    return finding_;
  }

  Finding& finding() { return finding_; }

 private:
  const SampleFacts& facts_;
  Finding finding_;
  std::vector<std::uint64_t> seeds_;
  std::vector<double> sums_, cpu_sums_;  // of each metric
  double step_ms_ = 0.0, cpu_step_ms_ = 0.0;
  std::uint64_t skipped_ = 0;
  std::string parted_;
};

Finding compare(const Options& options, const std::string& sample, const std::string& backend,
                const std::string& precision) {
  const SampleFacts& facts = facts_of(options, sample);
  if (facts.metrics.empty()) {
    Finding finding;
    fail(finding, sample + " --describe names no metric", {});
    return finding;
  }
  Comparison comparison(facts);
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
