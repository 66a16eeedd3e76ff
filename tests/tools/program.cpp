// The programs behind `./run gpu-check` and `./run bench ceilings`, as a user starts them.
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/idx_files.h"
#include "tools/gpu_check/process.h"

// What is not part of every build, such as one with sanitizers.
#ifdef AMPHORA_GPU_CHECK

namespace amphora::gpu_check {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Program : public ::testing::Test {
 protected:
  int check(std::vector<std::string> arguments, const std::string& cuda_module = "/no/such/module.so") {
    arguments.insert(arguments.end(), {"--output", output_.string()});
    return run({AMPHORA_GPU_CHECK, arguments, {{"AMPHORA_CUDA_MODULE", cuda_module}}}, log_, 300.0).code;
  }
  std::string text() const { return text_of(log_); }
  static std::string text_of(const fs::path& path) {
    const testing::Bytes bytes = testing::read_bytes(path);
    return {bytes.begin(), bytes.end()};
  }
  // The only report in the folder for findings.
  json report() const {
    for (const auto& entry : fs::directory_iterator(output_)) {
      if (entry.path().extension() == ".json") return json::parse(text_of(entry.path()));
    }
    return {};
  }
  bool says(const std::string& part) const { return text().find(part) != std::string::npos; }

  testing::TemporaryFolder folder_;
  fs::path output_ = folder_ / "findings";
  fs::path log_ = folder_ / "log";
};

TEST_F(Program, ListsItsStepsAndRunsNone) {
  EXPECT_EQ(check({"--list", "--backends", "cuda"}), 0) << text();
  EXPECT_TRUE(says("conformance cuda\n")) << text();
  EXPECT_FALSE(says("vulkan")) << text();
  EXPECT_FALSE(fs::exists(output_));
}

TEST_F(Program, RefusesAWrongCommandLineWith2) {
  EXPECT_EQ(check({"--backends", "opencl"}), 2);
  EXPECT_EQ(check({"--time-limit", "0"}), 2);
  EXPECT_EQ(check({"--no-such-flag"}), 2);
  EXPECT_TRUE(says("gpu-check: error: ")) << text();
}

TEST_F(Program, FailsWithoutAGpuAndSaysWhy) {
  EXPECT_EQ(check({"--backends", "cuda"}), 1) << text();
  EXPECT_TRUE(says("no backend found a GPU")) << text();
  EXPECT_TRUE(says("/no/such/module.so")) << text();
  const json found = report();
  EXPECT_EQ(found["gpu"], "no GPU");
  EXPECT_EQ(found["passed"], false);
  for (const json& step : found["steps"]) EXPECT_EQ(step["result"], "unsupported") << step;
}

TEST_F(Program, GoesOnToTheTableWhenAStepTakesTooLong) {
  EXPECT_EQ(check({"--backends", "cuda", "--time-limit", "0.0001"}), 1) << text();
  const json found = report();
  EXPECT_EQ(found["steps"][0]["result"], "FAILED");
  EXPECT_EQ(found["steps"][0]["measured"].get<std::string>().rfind("stopped after ", 0), 0u) << found;
  EXPECT_GT(found["steps"].size(), 5u);
}

#ifdef AMPHORA_CUDA_EMULATED_MODULE
TEST_F(Program, RunsOnAnEmulatorWhenAsked) {
  EXPECT_EQ(check({"--backends", "cuda", "--only", "training"}, AMPHORA_CUDA_EMULATED_MODULE), 1) << text();
  EXPECT_TRUE(says("--emulated lets it count")) << text();
  fs::remove_all(output_);

  EXPECT_EQ(check({"--backends", "cuda", "--emulated", "--quick", "--only", "training,ceilings,memcheck"},
                  AMPHORA_CUDA_EMULATED_MODULE),
            0)
      << text();
  EXPECT_TRUE(says("(emulated)")) << text();
  EXPECT_TRUE(says("3 tests passed, 0 failed")) << text();
  EXPECT_TRUE(says("best product")) << text();
  for (const json& step : report()["steps"]) EXPECT_NE(step["step"], "") << step;
}

#endif

TEST_F(Program, MeasuresCeilings) {
  const fs::path json_file = folder_ / "ceilings.json";
  ASSERT_EQ(
      run({AMPHORA_CEILINGS, {"--backend", "cpu", "--quick", "--json", json_file.string()}, {}}, log_, 300.0).code, 0)
      << text();
  const json found = json::parse(text_of(json_file));
  EXPECT_EQ(found["backend"], "cpu");
  EXPECT_TRUE(found["failures"].empty());
  std::size_t products = 0;
  for (const json& row : found["results"]) {
    EXPECT_GT(row["rate"], 0.0) << row;
    if (row["unit"] == "TFLOP/s") ++products;
    if (row["what"] == "copy") {
      EXPECT_EQ(row["of_copy"], 1.0);
    }
  }
  EXPECT_EQ(products, 6u);  // two in each precision that the cpu has
  EXPECT_EQ(found["results"].size() - products, 17u);
}

}  // namespace
}  // namespace amphora::gpu_check

#endif
