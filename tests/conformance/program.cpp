// The program around the tests: its flags, exit codes and reports.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "amphora/core/error.h"
#include "amphora/device/registry.h"
#include "conformance/report.h"
#include "support/idx_files.h"

namespace amphora::conformance {
namespace {

struct Finished {
  int code = -1;
  std::string out, err;
};

std::string text_of(const std::filesystem::path& path) {
  const testing::Bytes bytes = testing::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}

Finished run(const std::string& arguments) {
  const testing::TemporaryFolder folder;
  const std::string out = (folder / "out").string(), err = (folder / "err").string();
  const std::string command = own_path() + " " + arguments + " >" + out + " 2>" + err + " </dev/null";
  const int status = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(out), text_of(err)};
}

constexpr const char* kShort = "--backend cpu --filter FillWrites --seed 7";

TEST(Program, PrintsATableAndTheSeed) {
  const Finished finished = run(kShort);
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_NE(finished.out.find("largest error / bound"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("fill    bf16   simd"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("PASSED"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("--seed 7"), std::string::npos) << finished.out;
}

TEST(Program, WritesReports) {
  const testing::TemporaryFolder folder;
  const std::string json = (folder / "out.json").string(), markdown = (folder / "out.md").string();
  ASSERT_EQ(run(std::string(kShort) + " --report " + json).code, 0);
  const auto report = nlohmann::json::parse(text_of(json));
  EXPECT_EQ(report["passed"], true);
  EXPECT_EQ(report["seed"], 7);
  EXPECT_GT(report["passed_tests"], 0);
  EXPECT_EQ(report["rows"][0]["kernel"], "fill");
  EXPECT_EQ(report["rows"][0]["violations"], 0);
  ASSERT_EQ(run(std::string(kShort) + " --report " + markdown).code, 0);
  EXPECT_NE(text_of(markdown).find("| fill | bf16 | simd |"), std::string::npos);
}

TEST(Program, RefusesAWrongCommandLineWith2) {
  for (const std::string arguments : {"--backend opencl", "--filter no-such-test", "--report /no/such/folder/out.md",
                                      "--report out.txt", "--seed x", "--no-such-flag", "--device 0", "fill"}) {
    const Finished finished = run(arguments);
    EXPECT_EQ(finished.code, 2) << arguments << ": " << finished.err;
    EXPECT_EQ(finished.err.rfind("conformance: error: ", 0), 0u) << finished.err;
  }
}

// Skipped, with the reason, where a backend has no device: no list is silent about it.
TEST(Program, SaysWhichBackendIsUnsupportedAndWhy) {
  const Finished all = run("--filter FillWrites");
  std::string unsupported;
  for (const Backend& backend : backends()) {
    const BackendStatus status = status_of(backend);
    if (status.available) continue;
    const std::string line = fmt::format("{}: unsupported ({})", backend.name, status.detail);
    EXPECT_NE(all.out.find(line), std::string::npos) << all.out;
    const Finished one = run(fmt::format("--backend {}", backend.name));
    EXPECT_EQ(one.code, 1);
    EXPECT_NE(one.err.find(fmt::format("backend '{}' is unsupported here: {}", backend.name, status.detail)),
              std::string::npos)
        << one.err;
    unsupported += (unsupported.empty() ? "" : ", ") + line;
  }
  if (!unsupported.empty()) GTEST_SKIP() << unsupported;
}

TEST(Program, ListsTestsByTheirSubject) {
  const Finished finished = run("--backend cpu --filter LerpMatches --list");
  EXPECT_EQ(finished.code, 0);
  EXPECT_EQ(finished.out.rfind("Optim.Small_LerpMatchesTheOracle/cpu_", 0), 0u) << finished.out;
}

TEST(Program, TakesSeveralFilters) {
  const Finished finished = run("--backend cpu --filter LerpMatches,FillWrites --list");
  EXPECT_EQ(finished.code, 0);
  EXPECT_NE(finished.out.find("Optim.Small_LerpMatches"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("Copy.Small_FillWrites"), std::string::npos) << finished.out;
}

// What gpu-check runs under tools that watch: a name that is changed must not take a suite out of it.
TEST(Program, EverySuiteOfKernelsHasASmallTest) {
  const Finished finished = run("--backend cpu --filter Small_ --list");
  ASSERT_EQ(finished.code, 0) << finished.err;
  for (const char* suite :
       {"Copy", "Pointwise", "Matmul", "Reduce", "Softmax", "Loss", "Dropout", "Gradient", "Optim", "Step"}) {
    EXPECT_NE(finished.out.find(fmt::format("{}.Small_", suite)), std::string::npos) << suite;
  }
}

TEST(Report, NamesViolationsAndWhatIsUnsupported) {
  const Recording recording;
  Ledger& ledger = Ledger::current();
  Ledger::Row& row = ledger.begin_case({"toy", "cast", "f32 -> f16", "shader"}, "cast f32 -> f16");
  Ledger::accept(row, 0.25);
  ledger.violate(row, "element 3 is 1, not 2");
  ledger.unsupported({"toy", "cast", "f64 -> f16", "no f64"});
  RunResult run;
  run.failed_tests = {"Conversion.Fails/toy"};
  for (const std::string& text : {to_text(ledger, run), to_markdown(ledger, run), to_json(ledger, run)}) {
    for (const char* part : {"0.25", "no f64", "Conversion.Fails/toy"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in:\n" << text;
    }
  }
  EXPECT_NE(to_text(ledger, run).find("1 VIOLATIONS"), std::string::npos);
  EXPECT_NE(to_json(ledger, run).find("toy, cast f32 -> f16: element 3 is 1, not 2"), std::string::npos);
}

}  // namespace
}  // namespace amphora::conformance
