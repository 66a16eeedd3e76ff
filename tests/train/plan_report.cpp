// What ./run plan shows: every call of the recorded step, in each format.
#include <algorithm>
#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "program.h"

namespace amphora {
namespace {

using nlohmann::json;
using testing::Finished;
using testing::run_mlp;

constexpr const char* kSmall = "--plan --backend cpu --threads 1 --batch-size 16 ";

int lines_with(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(PlanReport, ShowsCallsTypesCostsAndMemory) {
  const Finished finished = run_mlp(std::string(kSmall) + "--precision f16");
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(lines_with(finished.out, "matmul+bias+relu [16x784 * 784x512 (T)]  f16 f16 f16 -> f16"), 1) << finished.out;
  // Of three layers: the products forward, two gradients each, what goes on to two of them, two derivatives.
  EXPECT_EQ(lines_with(finished.out, " linear "), 3 + 6 + 2 + 2) << finished.out;
  EXPECT_EQ(lines_with(finished.out, "optimizer_step(adam) ["), 1);
  // Two operations a multiply-add.
  EXPECT_NE(finished.out.find("12.85 M"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("arena"), std::string::npos);
  EXPECT_NE(finished.out.find("peak at call"), std::string::npos);
}

TEST(PlanReport, HasAPlanForEachPartOfAnAccumulatedStep) {
  const Finished finished = run_mlp(std::string(kSmall) + "--accumulate 3 --format dump");
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(lines_with(finished.out, "\nplan ") + (finished.out.rfind("plan ", 0) == 0 ? 1 : 0), 3) << finished.out;
  // Only the last one steps; the first overwrites the gradients of weights and biases, the others add to them.
  EXPECT_EQ(lines_with(finished.out, "  optimizer_step(adam) ["), 1);
  EXPECT_EQ(lines_with(finished.out, " added]"), 2 * (3 + 3)) << finished.out;
}

TEST(PlanReport, IsTheSameTextEachTime) {
  const std::string arguments = std::string(kSmall) + "--format dump";
  EXPECT_EQ(run_mlp(arguments).out, run_mlp(arguments).out);
}

TEST(PlanReport, OfTheSampleStandsInTheArchitecture) {
  const Finished finished = run_mlp("--plan --backend cpu --threads 1 --format dump");
  ASSERT_EQ(finished.code, 0) << finished.err;
  const std::string page = testing::text_of("docs/architecture.md");
  std::istringstream lines(finished.out);
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of(' ') + 1);
    EXPECT_NE(page.find(line + '\n'), std::string::npos) << "docs/architecture.md lacks: " << line;
  }
}

TEST(PlanReport, FusesEpiloguesWhereAsked) {
  const auto calls = [](const std::string& flags) {
    return lines_with(run_mlp(std::string(kSmall) + "--precision f32 --format dump " + flags).out, "\n  ");
  };
  EXPECT_LT(calls("--fuse"), calls(""));
}

TEST(PlanReport, DrawsAGraphThatGraphvizReads) {
  const Finished finished = run_mlp(std::string(kSmall) + "--format dot");
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(finished.out.rfind("digraph step0 {\n", 0), 0u) << finished.out;
  EXPECT_EQ(finished.out.substr(finished.out.size() - 2), "}\n");
  EXPECT_EQ(std::count(finished.out.begin(), finished.out.end(), '{'),
            std::count(finished.out.begin(), finished.out.end(), '}'));
  EXPECT_NE(finished.out.find("c0 -> c1 [label=\"%"), std::string::npos) << finished.out;
}

TEST(PlanReport, TracesEachCallOneAfterTheOtherWithItsShareOfTheRoofline) {
  const Finished finished = run_mlp(std::string(kSmall) + "--format chrome --profile");
  ASSERT_EQ(finished.code, 0) << finished.err;
  double end = 0.0;
  std::map<std::string, int> kernels;
  const json trace = json::parse(finished.out);
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    EXPECT_NEAR(event.at("ts").get<double>(), end, 1e-6 * (1.0 + end));
    EXPECT_GT(event.at("dur").get<double>(), 0.0);
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
    const json& args = event.at("args");
    EXPECT_GT(args.at("roofline_percent").get<double>(), 0.0);
    EXPECT_FALSE(args.at("path").get<std::string>().empty());
    ++kernels[event.at("cat").get<std::string>()];
  }
  EXPECT_EQ(kernels["matmul"], 8);
  EXPECT_EQ(kernels["optimizer_step"], 1);
}

TEST(PlanReport, SaysSoWhereNothingIsRecorded) {
  for (const std::string variable : {"AMPHORA_EAGER", "AMPHORA_CHECK"}) {
    const Finished finished = run_mlp(kSmall, "env " + variable + "=1 ");
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.err.find("there is no recorded step to show"), std::string::npos) << finished.err;
  }
}

TEST(Check, TellsWhereTheFirstValueIsNotFinite) {
  // The scale is beyond f16: the scaled gradient of the logits is infinite.
  const Finished finished = run_mlp("--bench --backend null", "env AMPHORA_CHECK=2 ");
  EXPECT_EQ(finished.code, 1);
  EXPECT_NE(finished.err.find("AMPHORA_CHECK is '2'; it must be 0 or 1"), std::string::npos) << finished.err;
  const testing::TemporaryFolder data;
  testing::write_data_set(data.path(), data::synthetic_images(40, 1), data::synthetic_images(10, 2));
  const Finished checked = run_mlp(
      "--backend cpu --threads 1 --epochs 1 --batch-size 20 --precision f16 --loss-scale 1e9 "
      "--data " +
          data.path().string(),
      "env AMPHORA_CHECK=1 ");
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_NE(checked.err.find("a scaled gradient"), std::string::npos) << checked.err;
  EXPECT_NE(checked.err.find("'cross_entropy', backward, step 0"), std::string::npos) << checked.err;
}

}  // namespace
}  // namespace amphora
