// One command for a machine with an NVIDIA GPU: runs all that only a GPU can show, and writes down what came out.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "amphora/amphora.h"
#include "io/file.h"
#include "report.h"
#include "steps.h"

namespace {

namespace am = amphora;
namespace fs = std::filesystem;
using am::gpu_check::Backend;
using am::gpu_check::Check;
using am::gpu_check::Finding;
using am::gpu_check::Options;
using am::gpu_check::Result;
using am::gpu_check::Step;

struct Arguments {
  Options options;
  std::vector<std::string> only;
  std::string output = "bench/results";
  std::string commit = "unknown";
  bool list = false;
};

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 16> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &local)};
}

Backend inspect(const std::string& name) {
  for (const am::BackendStatus& status : am::list_backends()) {
    if (status.name != name) continue;
    if (!status.available) return {name, status.detail, {}, {}};
    return {name, {}, status.detail, am::open_device(name)->info().precisions};
  }
  throw am::train::UsageError(fmt::format("--backends: there is no backend '{}'", name));
}

// What the backends and nvidia-smi say of the device.
am::gpu_check::Machine describe(const std::vector<Backend>& backends, const Arguments& arguments) {
  am::gpu_check::Machine machine{"no GPU", today(), arguments.commit, {}};
  for (const Backend& backend : backends) {
    if (!backend.reason_against.empty()) continue;
    if (machine.facts.empty()) machine.gpu = backend.device;
    for (const am::DeviceReport& device : am::list_devices(backend.name)) {
      for (const auto& [name, value] : device.facts) {
        machine.facts.emplace_back(fmt::format("{} {}", backend.name, name), value);
      }
      break;  // the first is the one that runs
    }
  }
  const fs::path log = arguments.options.logs / "nvidia-smi.log";
  for (const char* program : {"/usr/bin/nvidia-smi", "/usr/local/nvidia/bin/nvidia-smi"}) {
    if (!fs::exists(program)) continue;
    constexpr const char* kQuery =
        "--query-gpu=driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.limit,temperature.gpu";
    am::gpu_check::run({program, {kQuery, "--format=csv,noheader"}, {}}, log, 30.0);
    if (std::FILE* file = std::fopen(log.c_str(), "r")) {
      std::array<char, 512> line{};
      if (std::fgets(line.data(), line.size(), file) != nullptr) {
        std::string text = line.data();
        while (!text.empty() && text.back() == '\n') text.pop_back();
        machine.facts.emplace_back("driver, clocks SM (now, max), memory, power limit, temperature", text);
      }
      std::fclose(file);
    }
    break;
  }
  return machine;
}

Finding run_guarded(const Step& step, const Options& options) {
  if (step.backend != nullptr && !step.backend->reason_against.empty()) {
    return {.step = step.name, .result = Result::unsupported, .measured = step.backend->reason_against};
  }
  try {
    Finding finding = step.run(options);
    finding.step = step.name;
    return finding;
  } catch (const std::exception& error) {
    return {.step = step.name, .result = Result::failed, .measured = error.what(), .output = error.what()};
  }
}

bool is_wanted(const std::string& step, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(),
                                     [&](const std::string& part) { return step.find(part) != std::string::npos; });
}

// Whether everything that could run passed, and anything could.
bool check(Arguments& arguments) {
  std::vector<Backend> backends;
  for (const std::string& name : arguments.options.backends) backends.push_back(inspect(name));
  const std::vector<Step> steps = am::gpu_check::steps_for(arguments.options, backends);
  if (arguments.list) {
    for (const Step& step : steps) fmt::print("{}\n", step.name);
    return true;
  }
  arguments.options.logs = fs::absolute(fs::path(arguments.output)) / "logs";
  fs::create_directories(arguments.options.logs);
  Check result{describe(backends, arguments), {}};
  for (const Step& step : steps) {
    if (!is_wanted(step.name, arguments.only)) continue;
    fmt::print(stderr, "{} ...\n", step.name);
    result.findings.push_back(run_guarded(step, arguments.options));
    const Finding& finding = result.findings.back();
    fmt::print(stderr, "  {}: {}\n", am::gpu_check::name_of(finding.result), finding.measured);
  }
  fmt::print("{}", am::gpu_check::to_text(result));
  const fs::path file = fs::path(arguments.output) / am::gpu_check::file_name(result.machine);
  am::io::write_file(file.string() + ".md", am::gpu_check::to_markdown(result));
  am::io::write_file(file.string() + ".json", am::gpu_check::to_json(result));
  fmt::print("written: {0}.md, {0}.json; logs in {1}\n", file.string(), arguments.options.logs.string());
  const bool any_device =
      std::any_of(backends.begin(), backends.end(), [](const Backend& b) { return b.reason_against.empty(); });
  if (!any_device) fmt::print(stderr, "no backend found a GPU, so nothing of it was checked\n");
  return any_device && result.passed();
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  Options& options = arguments.options;
  options.programs = fs::read_symlink("/proc/self/exe").parent_path();
  CLI::App app(
      "Checks this machine's GPU through amphora's backends: devices, conformance, training beside the cpu backend,\n"
      "benchmarks beside the card's own ceilings, sanitizers. Ends with a table, and writes it to a file.",
      "gpu-check");
  app.add_option("--backends", options.backends, "which, such as cuda,vulkan")->delimiter(',')->capture_default_str();
  app.add_option("--only", arguments.only, "steps whose names contain one of these")->delimiter(',');
  app.add_option("--output", arguments.output, "the folder for the findings")->capture_default_str();
  app.add_option("--time-limit", options.limit_seconds, "seconds a step may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the samples' runs")->capture_default_str();
  app.add_option("--commit", arguments.commit, "what was built, for the record");
  app.add_flag("--quick", options.quick, "a sample of the tests, and small benchmarks");
  app.add_flag("--list", arguments.list, "print the steps and run none");
  app.footer("Exit code: 0 all that could run passed, 1 something failed or there is no GPU, 2 wrong command line.\n");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    std::exit(0);
  } catch (const CLI::ParseError& error) {
    throw am::train::UsageError(fmt::format("{} (see --help)", error.what()));
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  bool passed = false;
  const int code = am::train::guarded("gpu-check", [&] {
    Arguments arguments = parse(argc, argv);
    passed = check(arguments);
  });
  return code != 0 ? code : passed ? 0 : 1;
}
