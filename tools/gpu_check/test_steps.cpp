// Conformance, training beside the cpu backend, and whole runs of a sample.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "steps.h"

namespace amphora::gpu_check {
namespace {

using nlohmann::ordered_json;

void add_to_set(ordered_json& list, const ordered_json& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

// By kernel: how many numbers were checked, the largest error over its bound, and the paths that ran.
ordered_json kernels_of(const ordered_json& report) {
  ordered_json kernels = ordered_json::object();
  for (const ordered_json& row : report.at("rows")) {
    ordered_json& kernel = kernels[row.at("kernel").get<std::string>()];
    if (kernel.is_null()) kernel = {{"values", 0}, {"largest", 0.0}, {"paths", ordered_json::array()}};
    kernel["values"] = kernel["values"].get<std::uint64_t>() + row.at("values").get<std::uint64_t>();
    kernel["largest"] = std::max(kernel["largest"].get<double>(), row.at("largest_error_over_bound").get<double>());
    add_to_set(kernel["paths"], row.at("path"));
  }
  return kernels;
}

// By reason: how many calls of which kernels.
ordered_json unsupported_of(const ordered_json& report) {
  ordered_json reasons = ordered_json::object();
  for (const ordered_json& row : report.at("unsupported")) {
    ordered_json& reason = reasons[row.at("reason").get<std::string>()];
    if (reason.is_null()) reason = {{"calls", 0}, {"kernels", ordered_json::array()}};
    reason["calls"] = reason["calls"].get<std::uint64_t>() + row.at("cases").get<std::uint64_t>();
    add_to_set(reason["kernels"], row.at("kernel"));
  }
  return reasons;
}

ordered_json details_of(const ordered_json& report) {
  std::uint64_t values = 0, violations = 0;
  double largest = 0.0;
  for (const ordered_json& row : report.at("rows")) {
    values += row.at("values").get<std::uint64_t>();
    violations += row.at("violations").get<std::uint64_t>();
    largest = std::max(largest, row.at("largest_error_over_bound").get<double>());
  }
  return {{"tests",
           {{"passed", report.at("passed_tests")},
            {"failed", report.at("failed_tests").size()},
            {"skipped", report.at("skipped_tests").size()}}},
          {"seed", report.at("seed")},
          {"values", values},
          {"violations", violations},
          {"largest", largest},
          {"failed_tests", report.at("failed_tests")},
          {"first_violations", report.at("violations")},
          {"kernels", kernels_of(report)},
          {"unsupported", unsupported_of(report)}};
}

std::string summary_of(const ordered_json& details) {
  std::uint64_t calls = 0;
  for (const auto& [reason, what] : details.at("unsupported").items()) calls += what.at("calls").get<std::uint64_t>();
  const ordered_json& tests = details.at("tests");
  return fmt::format(
      "{} tests passed, {} failed; {} values, {} outside of their bound, largest error / bound {:.3f}; "
      "{} calls unsupported",
      tests.at("passed").get<int>(), tests.at("failed").get<int>(), details.at("values").get<std::uint64_t>(),
      details.at("violations").get<std::uint64_t>(), details.at("largest").get<double>(), calls);
}

Step conformance_step(const Backend& backend, const std::string& what, const char* filter, const char* quick_filter) {
  const std::string step = what + " " + backend.name;
  return {step, backend.reason_against, [=, name = backend.name](const Options& options) {
            return conformance(options, step, program(options, "amphora_conformance", {}), name,
                               options.quick ? quick_filter : filter);
          }};
}

// A word of a shell's command line.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

Finding whole_runs(const Options& options, const std::string& step, const std::string& backend) {
  const std::filesystem::path report = log_file(options, step, ".json");
  std::filesystem::remove(report);
  const std::string filter =
      options.quick ? "--gtest_filter=WholeRun.Writes*:Explain.*" : "--gtest_filter=WholeRun.*:Explain.*";
  Command command = program(options, "amphora_train", {filter, "--gtest_output=json:" + report.string()});
  const std::string starter = options.starter.empty() ? "" : quoted(options.starter.string()) + " ";
  command.environment = {{"AMPHORA_TEST_BACKEND", backend},
                         {"AMPHORA_MLP", starter + quoted((options.programs / "mlp").string())}};
  Finding finding = run_step(options, step, command);
  const ordered_json json = json_of(report);
  if (!json.is_object()) return finding;
  const int failures = json.at("failures").get<int>();
  const int passed = json.at("tests").get<int>() - failures;
  finding.measured = fmt::format("{} tests passed, {} failed", passed, failures);
  finding.details["tests"] = {{"passed", passed}, {"failed", failures}, {"skipped", 0}};
  return finding;
}

}  // namespace

Finding conformance(const Options& options, const std::string& step, Command command, const std::string& backend,
                    const std::string& filter) {
  const std::filesystem::path report = log_file(options, step, ".json");
  std::filesystem::remove(report);
  command.arguments.insert(command.arguments.end(), {"--backend", backend, "--report", report.string()});
  if (!filter.empty()) command.arguments.insert(command.arguments.end(), {"--filter", filter});
  Finding finding = run_step(options, step, command);
  const ordered_json json = json_of(report);
  if (!json.is_object()) return finding;
  finding.details = details_of(json);
  finding.measured += (finding.measured.empty() ? "" : ": ") + summary_of(finding.details);
  return finding;
}

std::vector<Step> test_steps(const Backend& backend) {
  const std::string whole = "whole-runs " + backend.name;
  return {conformance_step(backend, "conformance", "", "Copy,Step"),
          // The same first bits and decisions as the cpu backend's, losses inside of their bound.
          conformance_step(backend, "training", "decisions", "decisions"),
          {whole, backend.reason_against,
           [=, name = backend.name](const Options& options) { return whole_runs(options, whole, name); }}};
}

}  // namespace amphora::gpu_check
