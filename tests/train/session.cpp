// A sample that knows no images: a data set, a flag and a metric of its own, from its command line to its results.
#include <cmath>
#include <sstream>
#include <tuple>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "amphora/app.h"
#include "program.h"

namespace amphora {
namespace {

using nlohmann::json;

// Points of y = 2 x - 1 and some noise.
class Line : public data::Source {
 public:
  struct Batch {
    Tensor x;  // f32 [N, 1]
    Tensor y;  // f32 [N, 1]
    auto tensors() { return std::tie(x, y); }
  };
  Line(std::int64_t points, float noise) : points_(points), noise_(noise) {}
  std::int64_t count() const override { return points_; }
  std::vector<data::Field> fields() const override { return {{DType::f32, {1}}, {DType::f32, {1}}}; }
  void fill(std::span<const std::uint32_t> items, std::span<const data::Slot> slots) const override {
    const auto x = slots[0].as<float>();
    const auto y = slots[1].as<float>();
    for (std::size_t i = 0; i < items.size(); ++i) {
      x[i] = 2.0f * random_uniform({1, 0}, items[i]) - 1.0f;
      y[i] = 2.0f * x[i] - 1.0f + noise_ * random_normal({1, 1}, items[i]);
    }
  }

 private:
  std::int64_t points_;
  float noise_;
};

struct ToyOptions : app::TrainingOptions {
  float noise = 0.0f;
  ToyOptions() {
    sample = {.name = "toy", .items = "points", .metrics = {{.name = "slope", .digits = 3}, {.name = "shift"}}};
  }
  void add_flags(app::CommandLine& line) {
    TrainingOptions::add_flags(line);
    line.add_number("--noise", noise, "SIGMA", "of the points", "a number of at least 0", app::not_negative);
  }
};

using Session = app::Session<Line::Batch>;
constexpr std::int64_t kPoints = 90;

struct Seen {
  std::vector<std::int64_t> steps;
  std::vector<float> shares;
  std::vector<float> rates;  // of each step
};

// The whole of a sample but for main().
Seen train(const ToyOptions& options, data::LoaderPosition from = {}) {
  Session session(options, {"coordinates", 2});
  Device& device = session.device();
  const Line points(kPoints, options.noise);
  data::Loader loader(device, points, {.batch_size = options.batch_size, .seed = options.seed});
  while (loader.position().epoch != from.epoch || loader.position().batch != from.batch) loader.next();
  RandomSource random(options.seed);
  nn::Linear model({device, random}, 1, 1);
  const auto optimizer = app::make_optimizer(options, model.parameters());
  optimizer->follow([](std::int64_t step) { return 0.1f + 0.001f * static_cast<float>(step); });
  amp::GradScaler scaler(options.scaler);
  train::Step step(
      device,
      [&](const Session::Batch& batch) {
        Tensor loss = mse_loss(model(batch.x), batch.y) * batch.loss_share;
        scaler.scale(loss).backward();
        if (!batch.ends_step) return loss;
        scaler.step(*optimizer);
        scaler.update();
        optimizer->zero_grad();
        return loss;
      },
      app::make_step_options(options, scaler));
  Seen seen;
  for (const Session::Batch& batch : session.batches(loader)) {
    session.log(step(batch), *optimizer);
    seen.steps.push_back(batch.step);
    seen.shares.push_back(batch.loss_share);
    if (batch.ends_step) seen.rates.push_back(optimizer->lr());
  }
  session.finish(step, [&] {
    return app::Metrics{{"shift", model.bias().tensor().item()}, {"slope", model.weight().tensor().item()}};
  });
  return seen;
}

class Toy : public ::testing::Test {
 protected:
  // Runs it on a command line; what it prints is left in out_.
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"toy", "--backend", "cpu", "--threads", "1", "--precision", "f32"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = app::run_main<ToyOptions>(static_cast<int>(argv.size()), argv.data(),
                                               [this](const ToyOptions& options) { seen_ = train(options, from_); });
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }
  std::vector<json> log_lines() const {
    std::istringstream file(testing::text_of(folder_ / "log"));
    std::vector<json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  testing::TemporaryFolder folder_;
  data::LoaderPosition from_;
  Seen seen_;
  std::string out_, err_;
};

TEST_F(Toy, LearnsAndReportsItsMetricsByName) {
  const std::string summary = (folder_ / "summary").string();
  ASSERT_EQ(run({"--epochs", "60", "--batch-size", "30", "--summary", summary}), 0) << err_;
  for (const char* part : {"  slope              ", "  shift              -1.0", "coordinates/s", "toy: f32 on cpu"}) {
    EXPECT_NE(out_.find(part), std::string::npos) << part << " in\n" << out_;
  }
  EXPECT_NE(err_.find("coordinates/s"), std::string::npos) << err_;
  const json result = json::parse(testing::text_of(summary));
  EXPECT_NEAR(result["slope"].get<double>(), 2.0, 0.05);
  EXPECT_NEAR(result["shift"].get<double>(), -1.0, 0.05);
  EXPECT_FALSE(result.contains("test_accuracy"));
}

TEST_F(Toy, HasAFlagOfItsOwn) {
  ASSERT_EQ(run({"--help"}), 0);
  EXPECT_NE(out_.find("--noise SIGMA"), std::string::npos) << out_;
  EXPECT_NE(out_.find("points a batch"), std::string::npos) << out_;
  EXPECT_NE(out_.find("keys: slope, shift, final_loss"), std::string::npos) << out_;
  EXPECT_EQ(run({"--noise", "-1"}), 2);
  EXPECT_EQ(err_, "toy: error: --noise: '-1' is not valid; give a number of at least 0 (see --help)\n");
  const std::string log = (folder_ / "log").string();
  ASSERT_EQ(run({"--epochs", "1", "--log", log}), 0) << err_;
  const double without = log_lines().back()["loss"];
  ASSERT_EQ(run({"--epochs", "1", "--log", log, "--noise", "10"}), 0) << err_;
  EXPECT_GT(log_lines().back()["loss"].get<double>(), 10.0 * without);
}

TEST_F(Toy, DescribesItself) {
  std::vector<std::string> words{"toy", "--describe"};
  std::vector<char*> argv{words[0].data(), words[1].data()};
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(app::run_main<ToyOptions>(2, argv.data(), [](const ToyOptions&) { FAIL(); }), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "metric slope 0 3\nmetric shift 0 2\n");
}

TEST_F(Toy, LogsTheRateThatEachStepUsed) {
  ASSERT_EQ(run({"--epochs", "3", "--batch-size", "30", "--log", (folder_ / "log").string()}), 0) << err_;
  const std::vector<json> lines = log_lines();
  ASSERT_EQ(lines.size(), 9u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_FLOAT_EQ(lines[i]["lr"].get<float>(), 0.1f + 0.001f * static_cast<float>(i)) << i;
  }
}

TEST_F(Toy, SharesTheLossAmongTheBatchesOfAStep) {
  ASSERT_EQ(run({"--epochs", "2", "--batch-size", "20", "--accumulate", "2"}), 0) << err_;
  // Five batches an epoch: two, two, and one that has a step to itself.
  EXPECT_EQ(seen_.steps, (std::vector<std::int64_t>{0, 0, 1, 1, 2, 3, 3, 4, 4, 5}));
  EXPECT_EQ(seen_.shares, (std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f, 1.0f, 0.5f, 0.5f, 0.5f, 0.5f, 1.0f}));
}

TEST_F(Toy, GoesOnWhereItsLoaderStands) {
  from_ = {.epoch = 1, .batch = 2};
  ASSERT_EQ(run({"--epochs", "2", "--batch-size", "20", "--accumulate", "2", "--log", (folder_ / "log").string()}), 0)
      << err_;
  EXPECT_EQ(seen_.steps, (std::vector<std::int64_t>{4, 4, 5}));
  EXPECT_EQ(log_lines().front()["step"], 5);
  EXPECT_EQ(log_lines().front()["epoch"], 2);
}

TEST_F(Toy, IsExplainedTimedAndPlannedByTheSameLoop) {
  ASSERT_EQ(run({"--explain"}), 0) << err_;
  EXPECT_NE(out_.find("linear"), std::string::npos) << out_;
  ASSERT_EQ(run({"--plan", "--format", "dump"}), 0) << err_;
  EXPECT_NE(out_.find("matmul"), std::string::npos) << out_;
  ASSERT_EQ(run({"--bench"}), 0) << err_;
  EXPECT_NE(out_.find(" coordinates/s"), std::string::npos) << out_;
}

}  // namespace
}  // namespace amphora
