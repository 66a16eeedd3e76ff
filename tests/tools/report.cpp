// What a check writes down: its verdict, its files' name, its tables.
#include "tools/gpu_check/report.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "amphora/app/sample.h"
#include "tools/gpu_check/sample_facts.h"
#include "tools/gpu_check/tables.h"

namespace amphora::gpu_check {
namespace {

using nlohmann::ordered_json;

Check check_of(std::vector<Finding> findings) {
  return {{"NVIDIA H100 80GB HBM3", "2026-11-24", "abc123", {{"driver", "580"}}}, std::move(findings)};
}

const Finding kDevices{.step = "devices"};
const Finding kPassed{
    .step = "conformance cuda", .measured = "9 values", .seconds = 1.5, .log = "conformance-cuda.log"};
const Finding kUnsupported{.step = "conformance vulkan", .result = Result::unsupported, .measured = "no loader"};
const Finding kAbsent{.step = "validation-layers vulkan", .result = Result::absent};
const Finding kFailed{.step = "mlp cuda f16", .result = Result::failed, .measured = "exit code 1", .output = "the end"};

TEST(Verdict, PassesWhereAllThatCouldRunPassed) {
  EXPECT_TRUE(check_of({kDevices, kPassed, kUnsupported, kAbsent}).passed());
  EXPECT_FALSE(check_of({kDevices, kPassed, kFailed}).passed());
}

TEST(Verdict, FailsWhereNothingRanOnAGpu) {
  const Check check = check_of({kUnsupported, kAbsent});
  EXPECT_FALSE(check.passed());
  EXPECT_NE(check.verdict().find("nothing ran on a GPU"), std::string::npos) << check.verdict();
}

TEST(FileName, IsMadeOfTheGpuAndTheDate) {
  EXPECT_EQ(file_name({"NVIDIA H100 80GB HBM3", "2026-11-24", ""}), "nvidia-h100-80gb-hbm3-2026-11-24");
  EXPECT_EQ(file_name({"  llvmpipe (LLVM 21.1.8, 256 bits)", "2026-01-02", ""}),
            "llvmpipe-llvm-21-1-8-256-bits-2026-01-02");
  EXPECT_EQ(file_name({"/", "2026-01-02", ""}), "unnamed-2026-01-02");
}

TEST(Report, HasEveryStepItsResultAndTheEndOfAFailedLog) {
  const Check check = check_of({kDevices, kPassed, kUnsupported, kFailed});
  for (const std::string& text : {to_text(check), to_markdown(check)}) {
    for (const char* part :
         {"H100", "conformance cuda", "9 values", "1.5", "conformance-cuda.log", "no loader", "unsupported",
          "exit code 1", "abc123", "FAILED: 2 steps passed, 1 failed, 1 unsupported"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in\n" << text;
    }
  }
  EXPECT_NE(to_markdown(check).find("## How mlp cuda f16 failed"), std::string::npos);
  const auto parsed = ordered_json::parse(to_json(check));
  EXPECT_EQ(parsed["passed"], false);
  EXPECT_EQ(parsed["machine"]["driver"], "580");
  EXPECT_EQ(parsed["steps"][3]["output"], "the end");
}

TEST(Report, IsJsonWhateverALogEndsOn) {
  Finding finding = kFailed;
  finding.output = "cut off \xE2\x82";
  EXPECT_TRUE(ordered_json::accept(to_json(check_of({finding}))));
}

TEST(Tables, KeepTheirColumnsWhateverACellHolds) {
  EXPECT_EQ(markdown_table({{"a", "b"}, {"x | y", "two\nlines"}}), "| a | b |\n|---|---|\n| x \\| y | two lines |\n");
}

Finding ceilings(const std::string& backend, double seconds) {
  Finding finding{.step = "ceilings " + backend};
  const io::Json cube{{"what", "cube"},         {"types", "f16"},    {"shape", "8 x 8 x 8"}, {"seconds", seconds},
                      {"rate", 1e-9 / seconds}, {"unit", "TFLOP/s"}, {"of_copy", nullptr}};
  finding.details = {{"backend", backend}, {"device", "a card"}, {"results", std::vector{cube}}};
  return finding;
}

TEST(Tables, PutBenchmarksBesideTheFirstBackends) {
  const std::string text = benchmark_tables({ceilings("cuda", 1e-3), ceilings("vulkan", 2e-3)});
  EXPECT_NE(text.find("vulkan beside cuda"), std::string::npos) << text;
  EXPECT_NE(text.find("| 0.50 |"), std::string::npos) << text;
  EXPECT_EQ(benchmark_tables({kPassed}), "");
}

TEST(Tables, CountTestsAndNameWhatIsUnsupported) {
  using Names = std::vector<std::string>;
  Finding finding = kPassed;
  finding.details = {{"tests", {{"passed", 7}, {"failed", 0}, {"skipped", 1}}},
                     {"values", 12345},
                     {"violations", 0},
                     {"largest", 0.75},
                     {"kernels", {{"matmul", {{"values", 12345}, {"largest", 0.75}, {"paths", Names{"cuBLASLt"}}}}}},
                     {"unsupported", {{"no f64", {{"calls", 3}, {"kernels", Names{"cast", "fill"}}}}}}};
  const std::string text = conformance_tables({kDevices, finding});
  EXPECT_NE(text.find("| conformance cuda | 7 | 0 | 1 | 12345 | 0 | 0.750 |"), std::string::npos) << text;
  EXPECT_NE(text.find("| matmul | cuBLASLt | 12345 | 0.750 |"), std::string::npos) << text;
  EXPECT_NE(text.find("| 3 | cast, fill | no f64 |"), std::string::npos) << text;
}

TEST(Tables, ShowASampleBesideTheCpu) {
  const auto metric = [](const char* name, const std::vector<std::string>& shown) {
    return io::Json{{"name", name}, {"shown", shown}};
  };
  Finding finding{.step = "mlp cuda f16"};
  finding.details = {{"metrics", std::vector{metric("test_accuracy", {"89.25 %", "89.50 %", "-0.25"}),
                                             metric("test_loss", {"0.310", "0.300", "+0.010"})}},
                     {"median_step_ms", 0.5},
                     {"cpu_median_step_ms", 3.0},
                     {"skipped_steps", 2},
                     {"loss_scales_part_at", ""}};
  for (const char* row : {"| mlp cuda f16 | test_accuracy | 89.25 % | 89.50 % | -0.25 | 0.500 ms | 3.000 ms | 2 |",
                          "| mlp cuda f16 | test_loss | 0.310 | 0.300 | +0.010 | 0.500 ms | 3.000 ms | 2 |"}) {
    EXPECT_NE(sample_table({finding}).find(row), std::string::npos) << sample_table({finding});
  }
}

TEST(SampleFacts, AreWhatTheSampleSaysOfItself) {
  const app::Sample sample{.name = "toy",
                           .metrics = {{.name = "hits", .unit = "%", .digits = 1, .max_difference = 0.5},
                                       {.name = "loss", .digits = 4, .max_difference = 0.25}},
                           .data = {.package = "toys"},
                           .quick = {"--epochs", "1"}};
  const SampleFacts facts = sample_facts(app::description_of(sample));
  ASSERT_EQ(facts.metrics.size(), 2u);
  EXPECT_EQ(facts.metrics[0].name, "hits");
  EXPECT_EQ(facts.metrics[0].max_difference, 0.5);
  EXPECT_EQ(facts.metrics[0].str(12.34), "12.3 %");
  EXPECT_EQ(facts.metrics[1].str(3.0), "3.0000");
  EXPECT_EQ(facts.metrics[1].difference(0.5), "+0.5000");
  EXPECT_EQ(facts.quick, (std::vector<std::string>{"--epochs", "1"}));
  EXPECT_TRUE(sample_facts("").metrics.empty());
}

}  // namespace
}  // namespace amphora::gpu_check
