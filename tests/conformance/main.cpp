// amphora_conformance: holds the backends of this machine to the oracle. With flags of its own it prints what it found;
// with GoogleTest's it is a test program like the others.
//
//   amphora_conformance --backend vulkan --filter matmul --report out.md
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <string_view>

#include <gtest/gtest.h>

#include "amphora/app/command_line.h"
#include "amphora/app/run_main.h"
#include "amphora/core/error.h"
#include "amphora/device/registry.h"
#include "amphora/io/file.h"
#include "conformance/report.h"
#include "conformance/self_check.h"
#include "conformance/subject.h"

namespace amphora::conformance {
namespace {

struct Arguments {
  std::string backend;
  std::string device;
  std::vector<std::string> filter;
  std::optional<std::uint64_t> seed;
  std::string report;
  bool list = false;
  bool self_check = false;
};

// Nothing: --help was asked for.
std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  std::uint64_t seed = 0;
  app::CommandLine line(
      {.program = "conformance",
       .description =
           "Holds the backends of this machine to the scalar oracle, within bounds that are derived for each.",
       .footer = "Exit code: 0 all bounds hold, 1 one does not or a device fails, 2 the command line is wrong.\n"});
  line.add_text("--backend", arguments.backend, "NAME",
                "only this one: cpu, vulkan, cuda, or cuda_emulated, which needs no GPU; else all that there are");
  line.add_text("--device", arguments.device, "INDEX|NAME",
                "which of the backend's devices: its index, or a part of its name");
  line.add_texts("--filter", arguments.filter, "TEXT,...",
                 "only tests whose name contains TEXT, such as matmul, adam or f16");
  const auto seeded = line.add_whole("--seed", seed, "N", "of the random numbers; fresh unless given", 0,
                                     std::numeric_limits<std::uint64_t>::max())
                          .hide_default();
  line.add_text("--report", arguments.report, "FILE.md|FILE.json", "write the findings to a file");
  line.add_switch("--list", arguments.list, "print the names of the tests and run none");
  line.add_switch("--self-check", arguments.self_check, "break a device on purpose and see that it is caught");
  if (!line.parse(argc, argv)) return std::nullopt;
  if (seeded.given()) arguments.seed = seed;
  return arguments;
}

void check_backend(const std::string& name) {
  if (name.empty() || (kHasEmulatedCuda && name == kEmulatedCuda)) return;
  std::string known = kHasEmulatedCuda ? kEmulatedCuda : "";
  for (const Backend& backend : backends()) {
    if (!backend.computes) continue;
    if (backend.name == name) {
      const BackendStatus status = status_of(backend);
      require(status.available, "backend '{}' is unsupported here: {}", name, status.detail);
      return;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", backend.name);
  }
  throw app::UsageError(fmt::format("--backend: '{}' is not valid; give one of {}", name, known));
}

void check_report(const std::string& path) {
  if (path.empty()) return;
  const std::string extension = std::filesystem::path(path).extension();
  if (extension != ".md" && extension != ".json") {
    throw app::UsageError(fmt::format("--report: '{}' is neither .md nor .json", path));
  }
  try {
    io::check_writable(path);
  } catch (const Error& error) {
    throw app::UsageError(error.what());
  }
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_wanted(const std::string& test, const std::vector<std::string>& filter) {
  return filter.empty() || std::any_of(filter.begin(), filter.end(), [&test](const std::string& part) {
           return lower_case(test).find(lower_case(part)) != std::string::npos;
         });
}

// The tests whose names contain a part of `filter`, as GoogleTest names them. Those without a subject belong to no
// backend.
std::vector<std::string> matching_tests(const std::vector<std::string>& filter) {
  std::vector<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      const testing::TestInfo& test = *suite.GetTestInfo(t);
      const std::string name = std::string(suite.name()) + '.' + test.name();
      if (test.value_param() != nullptr && is_wanted(name, filter)) names.push_back(name);
    }
  }
  if (names.empty()) {
    throw app::UsageError(
        fmt::format("--filter: no test's name contains '{}'; --list prints them", fmt::join(filter, ",")));
  }
  return names;
}

// A line a test, as it ends; the failures as they happen.
class Progress : public testing::EmptyTestEventListener {
 public:
  explicit Progress(RunResult& run) : run_(run) {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::string_view text = result.message();
    constexpr std::string_view kTitle = "Failed\n";
    if (text.starts_with(kTitle)) text.remove_prefix(kTitle.size());
    fmt::print(stderr, "{}\n", text);
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    const testing::TestResult& result = *test.result();
    const std::string name = std::string(test.test_suite_name()) + '.' + test.name();
    if (result.Passed()) ++run_.passed_tests;
    if (result.Failed()) run_.failed_tests.push_back(name);
    if (result.Skipped()) {
      run_.skipped_tests.push_back(fmt::format("{}: {}", name, result.GetTestPartResult(0).message()));
    }
    fmt::print(stderr, "{:>7.2f} s  {:<7}  {}\n", static_cast<double>(result.elapsed_time()) / 1e3,
               result.Failed()    ? "FAILED"
               : result.Skipped() ? "skipped"
                                  : "ok",
               name);
  }

 private:
  RunResult& run_;
};

RunResult run_tests(const std::vector<std::string>& names) {
  RunResult run;
  run.seed = run_seed();
  testing::GTEST_FLAG(filter) = fmt::format("{}", fmt::join(names, ":"));
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Progress(run));  // GoogleTest owns it
  const auto start = std::chrono::steady_clock::now();
  run.passed = RUN_ALL_TESTS() == 0 && Ledger::current().violations() == 0;
  run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return run;
}

void write_report(const std::string& path, const RunResult& run) {
  if (path.empty()) return;
  const bool markdown = std::filesystem::path(path).extension() == ".md";
  io::write_file(path, markdown ? to_markdown(Ledger::current(), run) : to_json(Ledger::current(), run));
}

// Whether all bounds held.
bool run_program(int argc, char** argv) {
  const std::optional<Arguments> parsed = parse(argc, argv);
  if (!parsed) return true;
  const Arguments& arguments = *parsed;
  check_backend(arguments.backend);
  if (!arguments.device.empty() && arguments.backend.empty()) {
    throw app::UsageError("--device needs --backend: it is one of that backend's devices");
  }
  check_report(arguments.report);
  choose_backend(arguments.backend, arguments.device);
  if (arguments.seed) choose_seed(*arguments.seed);
  int one = 1;
  testing::InitGoogleTest(&one, argv);
  if (arguments.self_check) return self_check();
  const std::vector<std::string> names = matching_tests(arguments.filter);
  if (arguments.list) {
    fmt::print("{}\n", fmt::join(names, "\n"));
    return true;
  }
  RunResult run = run_tests(names);
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    const bool chosen = arguments.backend.empty() ? backend.computes : backend.name == arguments.backend;
    if (!chosen) continue;
    run.devices.push_back(status.available ? fmt::format("{}: {}", backend.name, status.detail)
                                           : fmt::format("{}: unsupported ({})", backend.name, status.detail));
  }
  fmt::print("{}", to_text(Ledger::current(), run));
  write_report(arguments.report, run);
  return run.passed;
}

std::string program_path;

bool has_own_flags(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc,
                     [](std::string_view argument) { return !argument.starts_with("--gtest_"); });
}

}  // namespace

const std::string& own_path() { return program_path; }

}  // namespace amphora::conformance

int main(int argc, char** argv) {
  using namespace amphora::conformance;
  program_path = argv[0];
  if (!has_own_flags(argc, argv)) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
  }
  bool passed = false;
  const int code = amphora::app::run_reporting_errors("conformance", [&] { passed = run_program(argc, argv); });
  return code != 0 ? code : passed ? 0 : 1;
}
