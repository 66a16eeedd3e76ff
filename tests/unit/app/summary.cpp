#include "amphora/app/summary.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "amphora/app/monitor.h"
#include "amphora/core/error.h"

namespace amphora::app {
namespace {

TEST(ScaleHistory, IsALine) {
  EXPECT_EQ(describe(std::vector<ScaleChange>{}), "none");
  EXPECT_EQ(describe({{0, 65536.0f}}), "65536");
  EXPECT_EQ(describe({{0, 65536.0f}, {12, 32768.0f}, {13, 16384.0f}}), "65536 -> 32768 at step 12 -> 16384 at step 13");
}

TEST(ScaleHistory, LosesItsMiddleWhenLong) {
  std::vector<ScaleChange> changes;
  for (int i = 0; i < 20; ++i) changes.push_back({i, std::ldexp(1.0f, i)});
  EXPECT_EQ(
      describe(changes),
      "1 -> 2 at step 1 -> 4 at step 2 -> 8 at step 3 -> (13 changes) -> 131072 at step 17 -> 262144 at step 18 -> "
      "524288 at step 19");
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(median({}), 0.0);
  EXPECT_EQ(median({3.0f}), 3.0);
  EXPECT_EQ(median({3.0f, 1.0f, 2.0f}), 2.0);
  EXPECT_EQ(median({4.0f, 1.0f, 3.0f, 2.0f}), 2.5);
}

TEST(RunSummary, WritesNullForWhatIsNoNumber) {
  Summary summary;
  summary.final_loss = std::nan("");
  const auto json = nlohmann::json::parse(to_json(summary));
  EXPECT_TRUE(json["final_loss"].is_null());
  EXPECT_EQ(json["loss_scale"], 1.0);
}

TEST(RunSummary, NamesMetricsAndTheUnit) {
  Summary summary;
  summary.unit = "tokens";
  summary.metrics = match({{.name = "validation_loss", .digits = 3}, {.name = "hits", .unit = "%", .digits = 1}},
                          {{"hits", 12.34}, {"validation_loss", 3.25}});
  const std::string text = to_text(summary);
  for (const char* part : {"validation loss    3.250\n", "hits               12.3 %\n", "tokens/s"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(nlohmann::json::parse(to_json(summary))["validation_loss"], 3.25);
}

TEST(RunSummary, RefusesMetricsThatAreNotThoseDeclared) {
  const std::vector<Metric> declared{{.name = "accuracy"}};
  EXPECT_THROW(match(declared, {}), Error);
  EXPECT_THROW(match(declared, {{"loss", 1.0}}), Error);
  EXPECT_THROW(match(declared, {{"accuracy", 1.0}, {"loss", 1.0}}), Error);
}

TEST(RunSummary, CountsLastingMemoryAsItIsAndTheRestAtItsPeak) {
  MemoryUse use;
  for (int kind = 0; kind < kMemoryKinds; ++kind) {
    use.current[static_cast<std::size_t>(kind)] = 1;
    use.peak[static_cast<std::size_t>(kind)] = 2;
  }
  use.peak_total = 9;
  Summary summary;
  add_memory(summary, use);
  const auto memory = nlohmann::json::parse(to_json(summary))["memory_bytes"];
  EXPECT_EQ(memory["masters"], 1);
  EXPECT_EQ(memory["optimizer_state"], 1);
  EXPECT_EQ(memory["activations"], 2);
  EXPECT_EQ(memory["inputs"], 2);
  EXPECT_EQ(memory["peak"], 9);
}

}  // namespace
}  // namespace amphora::app
