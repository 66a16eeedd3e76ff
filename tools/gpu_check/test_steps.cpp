// Conformance, training beside the cpu backend, and whole runs of a sample.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "steps.h"

namespace amphora::gpu_check {
namespace {

using io::Json;

void add_to_set(Json& list, const Json& value) {
  const Json::Array& known = list.elements();
  if (std::find(known.begin(), known.end(), value) == known.end()) list.push_back(value);
}

// By kernel: how many numbers were checked, the largest error over its bound, and the paths that ran.
Json kernels_of(const Json& report) {
  Json kernels = Json::object();
  for (const Json& row : report.at("rows").elements()) {
    Json& kernel = kernels[row.at("kernel").text()];
    if (kernel.is_null()) kernel = {{"values", 0}, {"largest", 0.0}, {"paths", Json::array()}};
    kernel["values"] = kernel["values"].count() + row.at("values").count();
    kernel["largest"] = std::max(kernel["largest"].number(), row.at("largest_error_over_bound").number());
    add_to_set(kernel["paths"], row.at("path"));
  }
  return kernels;
}

// By reason: how many calls of which kernels.
Json unsupported_of(const Json& report) {
  Json reasons = Json::object();
  for (const Json& row : report.at("unsupported").elements()) {
    Json& reason = reasons[row.at("reason").text()];
    if (reason.is_null()) reason = {{"calls", 0}, {"kernels", Json::array()}};
    reason["calls"] = reason["calls"].count() + row.at("cases").count();
    add_to_set(reason["kernels"], row.at("kernel"));
  }
  return reasons;
}

Json details_of(const Json& report) {
  std::uint64_t values = 0, violations = 0;
  double largest = 0.0;
  for (const Json& row : report.at("rows").elements()) {
    values += row.at("values").count();
    violations += row.at("violations").count();
    largest = std::max(largest, row.at("largest_error_over_bound").number());
  }
  return {{"tests",
           {{"passed", report.at("passed_tests")},
            {"failed", report.at("failed_tests").elements().size()},
            {"skipped", report.at("skipped_tests").elements().size()}}},
          {"seed", report.at("seed")},
          {"values", values},
          {"violations", violations},
          {"largest", largest},
          {"failed_tests", report.at("failed_tests")},
          {"first_violations", report.at("violations")},
          {"kernels", kernels_of(report)},
          {"unsupported", unsupported_of(report)}};
}

std::string summary_of(const Json& details) {
  std::uint64_t calls = 0;
  for (const auto& [reason, what] : details.at("unsupported").members()) calls += what.at("calls").count();
  const Json& tests = details.at("tests");
  return fmt::format(
      "{} tests passed, {} failed; {} values, {} outside of their bound, largest error / bound {:.3f}; "
      "{} calls unsupported",
      tests.at("passed").count(), tests.at("failed").count(), details.at("values").count(),
      details.at("violations").count(), details.at("largest").number(), calls);
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
  const Json json = json_of(report);
  if (!json.is_object()) return finding;
  const std::uint64_t failures = json.at("failures").count();
  const std::uint64_t passed = json.at("tests").count() - failures;
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
  const Json json = json_of(report);
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
