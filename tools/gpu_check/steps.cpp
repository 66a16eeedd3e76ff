#include "steps.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "core/error.h"

namespace amphora::gpu_check {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr double kLargestDifference = 0.3;  // points of test accuracy, to the cpu backend

std::string slug(std::string text) {
  for (char& c : text) c = c == ' ' ? '-' : c;
  return text;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The end of a log: what a person would look at first.
std::string end_of(const fs::path& path) {
  constexpr std::size_t kLongest = 3000;
  const std::string text = text_of(path);
  return text.size() <= kLongest ? text : "...\n" + text.substr(text.size() - kLongest);
}

std::string last_line(const fs::path& path) {
  std::string text = text_of(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t begin = text.rfind('\n');
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

ordered_json json_of(const fs::path& path) {
  return ordered_json::parse(text_of(path), nullptr, false);  // discarded when the file is missing or cut off
}

// Runs a step's program and begins its finding; `measured` is up to the step.
Finding run_step(const Options& options, const std::string& step, const Command& command) {
  const fs::path log = options.logs / (slug(step) + ".log");
  const Ended ended = run(command, log, options.limit_seconds);
  Finding finding{.step = step, .seconds = ended.seconds, .log = log.filename().string()};
  if (!ended.passed()) {
    finding.result = Result::failed;
    finding.measured = ended.str();
    finding.output = end_of(log);
  }
  return finding;
}

// What a conformance report counts.
std::string counts_of(const ordered_json& report) {
  std::uint64_t values = 0;
  double worst = 0.0;
  for (const ordered_json& row : report.at("rows")) {
    values += row.at("values").get<std::uint64_t>();
    worst = std::max(worst, row.at("largest_error_over_bound").get<double>());
  }
  return fmt::format(
      "{} values, {} violations, {} failed tests, {} kinds of call unsupported, largest error / bound {:.3f}", values,
      report.at("violations").size(), report.at("failed_tests").size(), report.at("unsupported").size(), worst);
}

Finding conformance(const Options& options, const std::string& step, const std::string& backend,
                    const std::string& filter, Command command) {
  const fs::path report = options.logs / (slug(step) + ".json");
  command.arguments.insert(command.arguments.end(), {"--backend", backend, "--report", report.string()});
  if (!filter.empty()) command.arguments.insert(command.arguments.end(), {"--filter", filter});
  Finding finding = run_step(options, step, command);
  const ordered_json json = json_of(report);
  if (json.is_discarded()) return finding;
  finding.measured = finding.measured.empty() ? counts_of(json) : finding.measured + ": " + counts_of(json);
  ordered_json reasons = ordered_json::array();
  for (const ordered_json& row : json.at("unsupported")) {
    reasons.push_back(fmt::format("{} {}: {}", row.at("kernel").get<std::string>(), row.at("types").get<std::string>(),
                                  row.at("reason").get<std::string>()));
  }
  finding.details = {{"seed", json.at("seed")}, {"failed_tests", json.at("failed_tests")}, {"unsupported", reasons}};
  return finding;
}

Command program(const Options& options, const std::string& name, std::vector<std::string> arguments = {}) {
  return {options.programs / name, std::move(arguments), {}};
}

Step devices_step() {
  return {"devices", nullptr, [](const Options& options) {
            Finding finding = run_step(options, "devices", program(options, "amphora-devices"));
            if (finding.result == Result::passed) finding.measured = "see the log";
            return finding;
          }};
}

Step conformance_step(const Backend& backend) {
  const std::string step = "conformance " + backend.name;
  return {step, &backend, [=, name = backend.name](const Options& options) {
            return conformance(options, step, name, options.quick ? "copy" : "",
                               program(options, "amphora_conformance"));
          }};
}

// Runs beside the cpu backend: the same initial bits, dropout masks and decisions, losses inside of their bound.
Step decisions_step(const Backend& backend) {
  const std::string step = "training " + backend.name;
  return {step, &backend, [=, name = backend.name](const Options& options) {
            return conformance(options, step, name, "decisions", program(options, "amphora_conformance"));
          }};
}

struct Run {
  Finding finding;
  double accuracy = std::nan("");
  double step_ms = std::nan("");
  std::vector<ScaleStep> scales = {};
};

Run train(const Options& options, const std::string& sample, const std::string& backend, Precision precision) {
  const std::string step = fmt::format("{} {} {}", sample, backend, name_of(precision));
  const fs::path summary = options.logs / (slug(step) + ".json");
  const fs::path lines = options.logs / (slug(step) + ".jsonl");
  std::vector<std::string> arguments{"--backend",   backend,
                                     "--precision", std::string(name_of(precision)),
                                     "--epochs",    "1",
                                     "--seed",      std::to_string(options.seed),
                                     "--summary",   summary.string(),
                                     "--log",       lines.string()};
  if (options.quick) arguments.insert(arguments.end(), {"--batch-size", "3000"});
  Run result{run_step(options, step, program(options, sample, arguments))};
  const ordered_json json = json_of(summary);
  if (json.is_discarded()) return result;
  const auto number = [&](const char* key) {
    return json.at(key).is_number() ? json.at(key).get<double>() : std::nan("");
  };
  result.accuracy = number("test_accuracy");
  result.step_ms = number("median_step_ms");
  result.scales = scale_history(lines);
  return result;
}

// The cpu backend's run of a sample, made once. TF32 is held to f32.
const Run& reference(const Options& options, const std::string& sample, Precision precision) {
  static std::map<std::pair<std::string, Precision>, Run> runs;
  const Precision own = precision == Precision::tf32 ? Precision::f32 : precision;
  const auto [found, is_new] = runs.try_emplace({sample, own});
  if (is_new) found->second = train(options, sample, "cpu", own);
  return found->second;
}

Finding compared(Run run, const Run& cpu) {
  Finding& finding = run.finding;
  if (finding.result != Result::passed) return finding;
  if (cpu.finding.result != Result::passed) {
    finding.result = Result::failed;
    finding.measured = "the cpu backend's run failed";
    finding.output = cpu.finding.output;
    return finding;
  }
  const double difference_in_points = run.accuracy - cpu.accuracy;
  const std::string parted = difference(run.scales, cpu.scales);
  finding.measured = fmt::format("accuracy {:.2f} %, cpu {:.2f} % ({:+.2f}); step {:.3f} ms, cpu {:.3f} ms; {}",
                                 run.accuracy, cpu.accuracy, difference_in_points, run.step_ms, cpu.step_ms,
                                 parted.empty() ? "the same loss scales" : "loss scales part at " + parted);
  finding.details = {{"test_accuracy", run.accuracy},
                     {"cpu_test_accuracy", cpu.accuracy},
                     {"median_step_ms", run.step_ms},
                     {"cpu_median_step_ms", cpu.step_ms},
                     {"loss_scales_part_at", parted}};
  // A comparison with NaN is false.
  if (std::abs(difference_in_points) <= kLargestDifference && parted.empty()) return finding;
  finding.result = Result::failed;
  finding.output = fmt::format("the bar is {} points, and the same loss scale in every step", kLargestDifference);
  return finding;
}

std::vector<std::string> samples_in(const fs::path& programs) {
  std::vector<std::string> found;
  for (const char* name : {"mlp", "cnn", "gpt", "lstm", "gan"}) {
    if (fs::exists(programs / name)) found.emplace_back(name);
  }
  return found;
}

Step sample_step(const std::string& sample, const Backend& backend, Precision precision) {
  return {fmt::format("{} {} {}", sample, backend.name, name_of(precision)), &backend,
          [=, name = backend.name](const Options& options) {
            return compared(train(options, sample, name, precision), reference(options, sample, precision));
          }};
}

Step ceilings_step(const Backend& backend) {
  const std::string step = "ceilings " + backend.name;
  return {step, &backend, [=, name = backend.name](const Options& options) {
            const fs::path json = options.logs / (slug(step) + ".json");
            Command command = program(options, "bench_ceilings", {"--backend", name, "--json", json.string()});
            if (options.quick) command.arguments.emplace_back("--quick");
            Finding finding = run_step(options, step, command);
            if (finding.result != Result::passed) return finding;
            finding.details = json_of(json);
            finding.measured = last_line(options.logs / finding.log);
            return finding;
          }};
}

// Where CUDA's tools usually are.
std::optional<fs::path> find_compute_sanitizer() {
  std::vector<fs::path> folders;
  std::string path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    folders.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const char* root : {"/usr/local", "/opt/nvidia"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root, error)) {
      folders.push_back(entry.path() / "bin");
      folders.push_back(entry.path() / "compute-sanitizer");
    }
  }
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (fs::is_regular_file(folder / "compute-sanitizer", error)) return folder / "compute-sanitizer";
  }
  return {};
}

Step sanitizer_step(const Backend& backend, const std::string& tool) {
  const std::string step = "compute-sanitizer " + tool;
  return {step, &backend, [=, name = backend.name](const Options& options) -> Finding {
            const auto sanitizer = find_compute_sanitizer();
            if (!sanitizer) return {.step = step, .result = Result::absent, .measured = "no compute-sanitizer here"};
            // Small shapes: what is watched runs a hundred times slower.
            return conformance(options, step, name, "softmax",
                               {*sanitizer,
                                {"--tool", tool, "--error-exitcode", "9", "--kernel-name-exclude", "kns=cublas",
                                 (options.programs / "amphora_conformance").string()},
                                {}});
          }};
}

Step validation_step(const Backend& backend) {
  const std::string step = "validation layers";
  return {step, &backend, [=, name = backend.name](const Options& options) {
            Command command = program(options, "amphora_conformance");
            command.environment = {{"AMPHORA_VULKAN_VALIDATION", "1"}};
            Finding finding = conformance(options, step, name, "softmax", command);
            if (finding.output.find("VK_LAYER_KHRONOS_validation") != std::string::npos) {
              finding.result = Result::absent;
              finding.measured = "no validation layers here";
              finding.output.clear();
            }
            return finding;
          }};
}

}  // namespace

std::vector<Step> steps_for(const Options& options, const std::vector<Backend>& backends) {
  std::vector<Step> steps{devices_step()};
  for (const Backend& backend : backends) {
    steps.push_back(conformance_step(backend));
    steps.push_back(decisions_step(backend));
  }
  for (const std::string& sample : samples_in(options.programs)) {
    for (const Backend& backend : backends) {
      // Of a backend without a device every precision is unsupported, and said to be.
      const std::vector<Precision> all{Precision::f32, Precision::f16, Precision::bf16};
      for (const Precision precision : backend.precisions.empty() ? all : backend.precisions) {
        steps.push_back(sample_step(sample, backend, precision));
      }
    }
  }
  for (const Backend& backend : backends) steps.push_back(ceilings_step(backend));
  for (const Backend& backend : backends) {
    if (backend.name == "vulkan") steps.push_back(validation_step(backend));
    if (backend.name != "cuda") continue;
    for (const char* tool : {"memcheck", "racecheck", "initcheck", "synccheck"}) {
      steps.push_back(sanitizer_step(backend, tool));
    }
  }
  return steps;
}

std::vector<ScaleStep> scale_history(const fs::path& log) {
  std::vector<ScaleStep> history;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    const ordered_json json = ordered_json::parse(line, nullptr, false);
    if (json.is_discarded() || !json.contains("loss_scale")) continue;
    history.push_back({json.at("loss_scale").get<double>(), json.value("skipped", false)});
  }
  return history;
}

std::string difference(const std::vector<ScaleStep>& here, const std::vector<ScaleStep>& there) {
  const auto str = [](const ScaleStep& step) {
    return fmt::format("{}{}", step.scale, step.skipped ? " skipped" : "");
  };
  for (std::size_t i = 0; i < std::min(here.size(), there.size()); ++i) {
    if (here[i] != there[i]) return fmt::format("step {}: {} here, {} there", i + 1, str(here[i]), str(there[i]));
  }
  if (here.size() != there.size()) return fmt::format("the end: {} steps here, {} there", here.size(), there.size());
  return {};
}

}  // namespace amphora::gpu_check
