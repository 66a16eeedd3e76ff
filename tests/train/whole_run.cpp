// The mlp sample from its command line to its results, on a small synthetic data set.
#include <cstdlib>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "amphora/device/registry.h"
#include "program.h"

namespace amphora {
namespace {

using nlohmann::json;
using testing::Finished;

class WholeRun : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_data_set(folder_.path(), data::synthetic_images(600, 1), data::synthetic_images(200, 2));
  }

  // These runs show what any backend must do: AMPHORA_TEST_BACKEND names another one.
  static std::string backend() {
    const char* named = std::getenv("AMPHORA_TEST_BACKEND");
    return named != nullptr ? named : "cpu";
  }

  Finished run(const std::string& arguments) const {
    return testing::run_mlp("--backend " + backend() + " --threads 1 --epochs 2 --batch-size 32 --data " +
                            folder_.path().string() + " " + arguments);
  }

  json summary_of(const std::string& arguments) const {
    const std::filesystem::path path = folder_ / "summary.json";
    std::filesystem::remove(path);
    const Finished finished = run("--quiet --summary " + path.string() + " " + arguments);
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(finished.out, "");
    // An emulated device is never used without a word.
    EXPECT_TRUE(finished.err.empty() || finished.err.find("runs on the processor") != std::string::npos)
        << finished.err;
    return json::parse(testing::text_of(path));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(WholeRun, WritesItsSummary) {
  const json summary = summary_of("--seed 3");
  std::set<std::string> keys;
  for (const auto& [key, value] : summary.items()) keys.insert(key);
  EXPECT_EQ(keys, (std::set<std::string>{"test_accuracy", "final_loss", "seconds", "items_per_second", "median_step_ms",
                                         "loss_scale", "skipped_steps", "backend", "device", "precision", "seed",
                                         "memory_bytes"}));
  EXPECT_GT(summary["test_accuracy"], 95.0);  // the patches are easily told apart
  EXPECT_LT(summary["final_loss"], 1.0);
  EXPECT_GT(summary["seconds"], 0.0);
  EXPECT_GT(summary["items_per_second"], 0.0);
  EXPECT_GT(summary["median_step_ms"], 0.0);
  EXPECT_EQ(summary["loss_scale"], 65536.0);
  EXPECT_EQ(summary["skipped_steps"], 0);
  EXPECT_EQ(summary["backend"], backend());
  EXPECT_NE(summary["device"], "");
  EXPECT_EQ(summary["precision"], "f16");
  EXPECT_EQ(summary["seed"], 3);
}

TEST_F(WholeRun, CountsMemoryByKind) {
  constexpr std::size_t kParameters = 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10;
  const json memory = summary_of("")["memory_bytes"];
  EXPECT_EQ(memory["masters"], 4 * kParameters);
  EXPECT_EQ(memory["working_copies"], 2 * kParameters);
  EXPECT_EQ(memory["gradients"], 4 * kParameters);
  EXPECT_GE(memory["optimizer_state"], 8 * kParameters);
  EXPECT_LT(memory["optimizer_state"], 8 * kParameters + 1000);
  EXPECT_GT(memory["activations"], 0);
  EXPECT_GE(memory["inputs"], 32 * 785 * 4);
  EXPECT_GE(memory["peak"], 18 * kParameters);
  EXPECT_EQ(summary_of("--precision f32")["memory_bytes"]["working_copies"], 0);
}

TEST_F(WholeRun, WritesALogLineAStep) {
  const std::filesystem::path path = folder_ / "log.jsonl";
  // The first scale overflows, so that the first step is skipped.
  ASSERT_EQ(run("--quiet --init-scale 1e30 --accumulate 3 --log " + path.string()).code, 0);
  std::istringstream file(testing::text_of(path));
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  ASSERT_EQ(lines.size(), 2u * 7u);  // 19 batches an epoch
  EXPECT_EQ(lines.front()["step"], 1);
  EXPECT_EQ(lines.front()["epoch"], 1);
  EXPECT_EQ(lines.front()["skipped"], true);
  EXPECT_FLOAT_EQ(lines[0]["loss_scale"].get<float>(), 1e30f);
  EXPECT_FLOAT_EQ(lines[1]["loss_scale"].get<float>(), 5e29f);
  EXPECT_EQ(lines.back()["step"], 14);
  EXPECT_EQ(lines.back()["epoch"], 2);
  EXPECT_NEAR(lines.front()["loss"].get<double>(), std::log(10.0), 0.5);  // one step's loss, not a third of it
}

TEST_F(WholeRun, TellsWhatItDoes) {
  const Finished finished = run("--init-scale 1e30");
  EXPECT_EQ(finished.code, 0);
  EXPECT_NE(finished.err.find("epoch 1/2  loss "), std::string::npos) << finished.err;
  EXPECT_NE(finished.err.find("epoch 2/2  loss "), std::string::npos) << finished.err;
  for (const char* part :
       {"test accuracy", "final loss", "images/s", "loss scale", "-> 5e+29 at step 1", "skipped steps", "masters",
        "working copies", "gradients", "optimizer state", "activations"}) {
    EXPECT_NE(finished.out.find(part), std::string::npos) << part << " in\n" << finished.out;
  }
}

TEST_F(WholeRun, GivesTheSameLossOnAnyNumberOfThreads) {
  for (const std::string precision : {"f32", "f16", "bf16"}) {
    const json one = summary_of("--precision " + precision);
    for (const char* threads : {"1", "2", "3"}) {
      const json other = summary_of("--precision " + precision + " --threads " + threads);
      EXPECT_EQ(other["final_loss"], one["final_loss"]) << precision << " on " << threads << " threads";
      EXPECT_EQ(other["test_accuracy"], one["test_accuracy"]);
    }
    EXPECT_NE(summary_of("--seed 2 --precision " + precision)["final_loss"], one["final_loss"]);
  }
}

TEST_F(WholeRun, KnowsEveryOptimizerAndOption) {
  for (const char* flags : {"--optimizer sgd", "--optimizer adam", "--ema 0.9", "--accumulate 4", "--clip-norm 0",
                            "--loss-scale 1024", "--loss-scale none", "--loss-scale dynamic --precision f32"}) {
    EXPECT_GT(summary_of(flags)["test_accuracy"], 50.0) << flags;
  }
  EXPECT_EQ(summary_of("--loss-scale 1024")["loss_scale"], 1024.0);
  EXPECT_EQ(summary_of("--loss-scale none")["loss_scale"], 1.0);
}

TEST_F(WholeRun, OfNoEpochTestsTheFirstWeights) {
  const json summary = summary_of("--epochs 0");
  EXPECT_LT(summary["test_accuracy"], 60.0);
  EXPECT_EQ(summary["median_step_ms"], 0.0);
  EXPECT_TRUE(summary["final_loss"].is_null());
}

TEST(Explain, GivesTheSameTextOnEveryBackend) {
  for (const std::string precision : {"f32", "f16", "bf16"}) {
    const std::string arguments = "--explain --precision " + precision + " --backend ";
    const Finished cpu = testing::run_mlp(arguments + "cpu");
    EXPECT_EQ(cpu.code, 0) << cpu.err;
    EXPECT_EQ(cpu.err, "");
    EXPECT_NE(cpu.out.find("linear"), std::string::npos);
    EXPECT_NE(cpu.out.find("f32/" + precision + "/f32/f32"), std::string::npos) << cpu.out;
    for (const Backend& backend : backends()) {
      const Finished other = testing::run_mlp(arguments + std::string(backend.name));
      // How this program itself was started does not tell whether the sample finds a device.
      if (other.code == 1 && other.err.find("is not available") != std::string::npos) continue;
      EXPECT_EQ(other.code, 0) << other.err;
      EXPECT_EQ(other.out, cpu.out) << backend.name;
    }
  }
}

TEST(BenchStep, PrintsTheMedianAndTheKernels) {
  const Finished finished = testing::run_mlp("--bench --backend cpu --batch-size 16");
  EXPECT_EQ(finished.code, 0) << finished.err;
  for (const char* part : {"median step", "of 50", "matmul", "optimizer_step", "host"}) {
    EXPECT_NE(finished.out.find(part), std::string::npos) << part << " in\n" << finished.out;
  }
}

}  // namespace
}  // namespace amphora
