// One command for a machine with an NVIDIA GPU: runs all that only a GPU can show, and writes down what came out.
//
//   ./run gpu-check
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "amphora/app/command_line.h"
#include "amphora/app/run_main.h"
#include "amphora/io/file.h"
#include "report.h"
#include "steps.h"

namespace {

namespace fs = std::filesystem;
using namespace amphora::gpu_check;  // NOLINT(google-build-using-namespace)

struct Arguments {
  Options options;
  std::vector<std::string> only;
  std::string output = "bench/results";
  std::string commit = "unknown";
  std::string starter;
  bool list = false;
};

// Nothing: --help was asked for.
std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  Options& options = arguments.options;
  options.programs = fs::read_symlink("/proc/self/exe").parent_path();
  amphora::app::CommandLine line(
      {.program = "gpu-check",
       .description =
           "Checks this machine's GPU through amphora's backends: devices, conformance, training beside the cpu "
           "backend,\nbenchmarks beside the card's own ceilings, sanitizers. Ends with a table, and writes it to "
           "files.",
       .footer =
           "Exit code: 0 all that could run passed, 1 something failed or there is no GPU, 2 wrong command line.\n"});
  line.add_texts("--backends", options.backends, "NAME,...", "which ones");
  line.add_texts("--only", arguments.only, "TEXT,...",
                 "steps whose names contain one of these; --list prints the names");
  line.add_path("--output", arguments.output, "DIR", "the folder for the findings and, below it, the logs");
  line.add_number("--time-limit", options.limit_seconds, "SECONDS",
                  "a program that runs longer is ended, and its step failed", "a finite number above 0",
                  amphora::app::positive);
  line.add_whole("--seed", options.seed, "N", "the first of the samples' seeds", 0, std::uint64_t{1} << 62U);
  line.add_text("--commit", arguments.commit, "TEXT", "what was built, for the record").hide_default();
  line.add_text("--starter", arguments.starter, "TEXT",
                "a program that starts the others, such as scripts/with_vulkan");
  line.add_switch("--quick", options.quick, "a part of the tests, a small data set and small benchmarks");
  line.add_switch("--emulated", options.emulated,
                  "a device that runs on the processor counts, to try the check itself");
  line.add_switch("--list", arguments.list, "print the steps and run none");
  if (!line.parse(argc, argv)) return std::nullopt;
  for (const std::string& name : options.backends) {
    if (name == "cuda" || name == "vulkan") continue;
    throw amphora::app::UsageError(fmt::format("--backends: '{}' is not valid; give cuda, vulkan or both", name));
  }
  if (!arguments.starter.empty()) options.starter = fs::absolute(arguments.starter);
  return arguments;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &local)};
}

bool has_device(const std::vector<Backend>& backends) {
  return std::any_of(backends.begin(), backends.end(), [](const Backend& b) { return b.reason_against.empty(); });
}

// Finds the backends by the step "devices", which a broken driver may take down.
std::vector<Backend> find_backends(const Options& options, Finding& finding) {
  const fs::path json = log_file(options, "devices", ".json");
  fs::remove(json);
  finding = run_step(options, "devices", program(options, "amphora-devices", {"--json", json.string()}));
  const amphora::io::Json devices = json_of(json);
  std::vector<Backend> backends;
  for (const std::string& name : options.backends) {
    backends.push_back(devices.is_object() ? find_backend(devices, name, options.emulated)
                                           : unknown_backend(name, "looking for devices failed"));
    const Backend& backend = backends.back();
    if (finding.result != Result::passed) continue;
    finding.measured += fmt::format("{}{}: {}", finding.measured.empty() ? "" : "; ", name,
                                    backend.reason_against.empty() ? backend.device : backend.reason_against);
  }
  if (finding.result == Result::passed && !has_device(backends)) finding.result = Result::unsupported;
  finding.details = devices;
  return backends;
}

Facts ask_nvidia_smi(const Options& options) {
  for (const char* program :
       {"/usr/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi"}) {
    if (!fs::exists(program)) continue;
    const fs::path log = log_file(options, "nvidia-smi", ".log");
    const std::string query = std::string("--query-gpu=") + kSmiQuery;
    if (!run({program, {query, "--format=csv,noheader"}, {}}, log, 60.0).passed()) continue;
    const std::string text = text_of(log);
    return smi_facts(std::string_view(text).substr(0, text.find('\n')));
  }
  return {};
}

Finding run_guarded(const Step& step, const Options& options) {
  if (!step.reason_against.empty()) {
    return {.step = step.name, .result = Result::unsupported, .measured = step.reason_against};
  }
  try {
    Finding finding = step.run(options);
    finding.step = step.name;
    return finding;
  } catch (const std::exception& error) {
    return {.step = step.name, .result = Result::failed, .measured = error.what()};
  }
}

bool is_wanted(const std::string& step, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(),
                                     [&](const std::string& part) { return step.find(part) != std::string::npos; });
}

void show(const Finding& finding) { fmt::print(stderr, "  {}: {}\n", name_of(finding.result), finding.measured); }

bool check(const Arguments& arguments) {
  const Options& options = arguments.options;
  Finding devices;
  const std::vector<Backend> backends = find_backends(options, devices);
  Check result{describe(backends, today(), arguments.commit), {devices}};
  for (auto& fact : ask_nvidia_smi(options)) result.machine.facts.push_back(std::move(fact));
  fmt::print(stderr, "devices ...\n");
  show(devices);
  for (const Step& step : steps_for(backends)) {
    if (!is_wanted(step.name, arguments.only)) continue;
    fmt::print(stderr, "{} ...\n", step.name);
    result.findings.push_back(run_guarded(step, options));
    show(result.findings.back());
  }
  fmt::print("{}", to_text(result));
  const fs::path file = fs::path(arguments.output) / file_name(result.machine);
  amphora::io::write_file(file.string() + ".md", to_markdown(result));
  amphora::io::write_file(file.string() + ".json", to_json(result));
  fmt::print("written: {0}.md and {0}.json; logs in {1}\n", file.string(), options.logs.string());
  if (!has_device(backends)) {
    fmt::print(stderr, "gpu-check: no backend found a GPU, so nothing was checked; the table says why\n");
  }
  return result.passed();
}

void list(const Options& options) {
  std::vector<Backend> backends;
  for (const std::string& name : options.backends) backends.push_back(unknown_backend(name, {}));
  fmt::print("devices\n");
  for (const Step& step : steps_for(backends)) fmt::print("{}\n", step.name);
}

}  // namespace

int main(int argc, char** argv) {
  bool passed = true;
  const int code = amphora::app::run_reporting_errors("gpu-check", [&] {
    std::optional<Arguments> arguments = parse(argc, argv);
    if (!arguments) return;
    if (arguments->list) {
      list(arguments->options);
    } else {
      arguments->options.logs = fs::absolute(arguments->output) / "logs";
      fs::create_directories(arguments->options.logs);
      passed = check(*arguments);
    }
  });
  return code != 0 ? code : passed ? 0 : 1;
}
