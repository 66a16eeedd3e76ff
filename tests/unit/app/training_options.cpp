#include "amphora/app/training_options.h"

#include <gtest/gtest.h>

#include "amphora/app/optimizers.h"

namespace amphora::app {
namespace {

using Arguments = std::vector<std::string>;

// Those of a sample that has a flag of its own.
struct Options : TrainingOptions {
  std::string data;
  Options() { sample = {.name = "toy", .items = "points", .metrics = {{.name = "hits", .meaning = "percent"}}}; }
  void add_flags(CommandLine& line) {
    add_machine_flags(line);
    line.add_path("--data", data, "DIR", "where the points are");
    add_training_flags(line);
  }
};

Options parse(const Arguments& arguments) { return parse_options<Options>(arguments); }

std::string help() {
  Options options;
  CommandLine line(about(options.sample));
  options.add_flags(line);
  return line.help();
}

std::string refusal(const Arguments& arguments) {
  try {
    parse(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(TrainOptions, HaveDefaults) {
  const Options options = parse({});
  EXPECT_EQ(options.mode, Mode::train);
  EXPECT_EQ(options.backend, "auto");
  EXPECT_EQ(options.precision, Precision::f16);
  EXPECT_EQ(options.epochs, 5);
  EXPECT_EQ(options.batch_size, 128);
  EXPECT_EQ(options.lr, 1e-3f);
  EXPECT_EQ(options.optimizer, "adamw");
  EXPECT_EQ(options.accumulate, 1);
  EXPECT_EQ(options.clip_norm, 1.0f);
  EXPECT_EQ(options.ema, 0.0f);
  EXPECT_EQ(options.seed, 1u);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.device, "");
  EXPECT_FALSE(options.quiet);
}

TEST(TrainOptions, AreTakenFromFlags) {
  const Options options = parse({"--backend",
                                 "cpu",
                                 "--precision",
                                 "bf16",
                                 "--epochs=2",
                                 "--batch-size",
                                 "64",
                                 "--lr",
                                 "0.5",
                                 "--optimizer",
                                 "adam",
                                 "--accumulate",
                                 "4",
                                 "--clip-norm",
                                 "0",
                                 "--ema",
                                 "0.99",
                                 "--seed",
                                 "18446744073709551615",
                                 "--threads",
                                 "3",
                                 "--data",
                                 "d",
                                 "--log",
                                 "l",
                                 "--summary",
                                 "s",
                                 "--quiet"});
  EXPECT_EQ(options.backend, "cpu");
  EXPECT_EQ(options.precision, Precision::bf16);
  EXPECT_EQ(options.epochs, 2);
  EXPECT_EQ(options.batch_size, 64);
  EXPECT_EQ(options.lr, 0.5f);
  EXPECT_EQ(options.optimizer, "adam");
  EXPECT_EQ(options.accumulate, 4);
  EXPECT_EQ(options.clip_norm, 0.0f);
  EXPECT_EQ(options.ema, 0.99f);
  EXPECT_EQ(options.seed, UINT64_MAX);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.data + options.log + options.summary, "dls");
  EXPECT_TRUE(options.quiet);
}

TEST(TrainOptions, ScaleTheLossByPrecisionUnlessTold) {
  EXPECT_TRUE(parse({}).scaler.enabled);
  EXPECT_TRUE(parse({}).scaler.dynamic);
  for (const char* precision : {"f32", "tf32", "bf16"}) {
    EXPECT_FALSE(parse({"--precision", precision}).scaler.enabled) << precision;
  }
  EXPECT_FALSE(parse({"--loss-scale", "none"}).scaler.enabled);
  EXPECT_TRUE(parse({"--loss-scale", "dynamic", "--precision", "f32"}).scaler.enabled);

  const Options dynamic = parse({"--init-scale", "1024", "--growth-interval", "7"});
  EXPECT_EQ(dynamic.scaler.init_scale, 1024.0f);
  EXPECT_EQ(dynamic.scaler.growth_interval, 7);

  const Options fixed = parse({"--loss-scale", "128", "--precision", "bf16"});
  EXPECT_TRUE(fixed.scaler.enabled);
  EXPECT_FALSE(fixed.scaler.dynamic);
  EXPECT_EQ(fixed.scaler.init_scale, 128.0f);
  EXPECT_NO_THROW(amp::GradScaler(parse({"--loss-scale", "1e-40"}).scaler));
}

TEST(TrainOptions, GiveEachOptimizerItsRate) {
  EXPECT_EQ(parse({"--optimizer", "sgd"}).lr, 0.05f);
  EXPECT_EQ(parse({"--optimizer", "sgd", "--lr", "0.001"}).lr, 0.001f);
  EXPECT_EQ(parse({"--optimizer", "adam"}).lr, 0.001f);
}

TEST(TrainOptions, GivenTwiceCountAsGivenLast) {
  EXPECT_EQ(parse({"--epochs", "3", "--epochs", "4"}).epochs, 4);
  EXPECT_NE(refusal({"--epochs", "x", "--epochs", "4"}), "");
}

TEST(TrainOptions, KnowTheModes) {
  EXPECT_EQ(parse({"--explain"}).mode, Mode::explain);
  EXPECT_EQ(parse({"--bench"}).mode, Mode::bench);
  EXPECT_EQ(parse({"--plan"}).mode, Mode::plan);
  EXPECT_EQ(parse({"--plan", "--format", "chrome", "--profile"}).plan_format, PlanFormat::chrome);
  EXPECT_TRUE(parse({"--plan", "--profile"}).profile);
  EXPECT_TRUE(parse({"--fuse"}).fuse);
  EXPECT_NE(refusal({"--bench", "--explain"}), "");
  EXPECT_NE(refusal({"--plan", "--bench"}), "");
  EXPECT_NE(refusal({"--profile"}), "");
  EXPECT_NE(refusal({"--plan", "--format", "png"}), "");
}

TEST(TrainOptions, NameEveryFlagInTheHelp) {
  const std::string text = help();
  for (const char* flag :
       {"--backend",   "--precision",  "--epochs",     "--batch-size",      "--lr",      "--optimizer", "--accumulate",
        "--clip-norm", "--loss-scale", "--init-scale", "--growth-interval", "--ema",     "--seed",      "--threads",
        "--data",      "--log",        "--summary",    "--quiet",           "--explain", "--bench"}) {
    EXPECT_NE(text.find(flag), std::string::npos) << flag;
  }
  for (const char* flag : {"-h", "--help"}) {
    ::testing::internal::CaptureStdout();
    parse({flag});
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), text);
  }
}

TEST(TrainOptions, NameTheSamplesItemsAndMetricsInTheHelp) {
  for (const char* part : {"Usage: toy ", "passes over the training points", "points a batch", "the order of points",
                           "keys: hits (percent), final_loss"}) {
    EXPECT_NE(help().find(part), std::string::npos) << part << " in\n" << help();
  }
}

TEST(TrainOptions, OfferEachOptimizerThatThereIs) {
  for (const OptimizerRow& row : optimizers()) {
    const std::string name(row.name);
    EXPECT_EQ(parse({"--optimizer", name}).optimizer, name);
    EXPECT_EQ(parse({"--optimizer", name}).lr, row.lr);
    EXPECT_NE(help().find(row.help), std::string::npos) << help();
  }
  EXPECT_THROW(optimizer_named("sdg"), Error);
}

TEST(TrainOptions, KeepTheRateOfASampleUnlessAnOptimizerIsChosen) {
  struct Slow : TrainingOptions {
    Slow() { lr = 0.25f; }
  };
  EXPECT_EQ(parse_options<Slow>({}).lr, 0.25f);
  EXPECT_EQ(parse_options<Slow>({"--optimizer", "adam"}).lr, 1e-3f);
}

TEST(SampleDescription, HasALineAFact) {
  const Sample sample{
      .name = "toy",
      .metrics = {{.name = "hits", .unit = "%", .digits = 1, .max_difference = 0.5}},
      .data = {.package = "toys", .folder = "/toys", .names = {"a", "b"}, .instead = {"--data"}, .advice = "buy some"},
      .quick = {"--epochs", "1"}};
  EXPECT_EQ(description_of(sample),
            "metric hits 0.5 1 %\nquick --epochs 1\ndata-package toys\ndata-folder /toys\ndata-files a b\n"
            "data-instead --data\ndata-advice buy some\n");
  EXPECT_EQ(description_of({}), "");
}

class BadOptions : public ::testing::TestWithParam<Arguments> {};

TEST_P(BadOptions, AreRefusedInOneLineThatNamesFlagAndValue) {
  const std::string message = refusal(GetParam());
  ASSERT_NE(message, "");
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_NE(message.find("--help"), std::string::npos) << message;
  for (const std::string& part : GetParam()) EXPECT_NE(message.find(part), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, BadOptions,
    ::testing::Values(Arguments{"--unknown"}, Arguments{"stray"}, Arguments{"--epochs"},
                      Arguments{"--backend", "opencl"}, Arguments{"--precision", "f8"}, Arguments{"--precision", "F16"},
                      Arguments{"--optimizer", "lamb"}, Arguments{"--epochs", "-1"}, Arguments{"--epochs", "two"},
                      Arguments{"--epochs", "1.5"}, Arguments{"--batch-size", "0"}, Arguments{"--batch-size", "-8"},
                      Arguments{"--batch-size", "99999999999999999999"}, Arguments{"--lr", "-0.1"},
                      Arguments{"--lr", "nan"}, Arguments{"--lr", "inf"}, Arguments{"--lr", "1e-3x"},
                      Arguments{"--accumulate", "0"}, Arguments{"--clip-norm", "-1"}, Arguments{"--clip-norm", "nan"},
                      Arguments{"--loss-scale", "0"}, Arguments{"--loss-scale", "-1"}, Arguments{"--loss-scale", "nan"},
                      Arguments{"--loss-scale", "inf"}, Arguments{"--loss-scale", "auto"},
                      Arguments{"--loss-scale", "1e39"}, Arguments{"--init-scale", "0"},
                      Arguments{"--init-scale", "nan"}, Arguments{"--growth-interval", "0"},
                      Arguments{"--growth-interval", "-5"}, Arguments{"--ema", "1"}, Arguments{"--ema", "-0.1"},
                      Arguments{"--ema", "nan"}, Arguments{"--seed", "-1"}, Arguments{"--seed", "x"},
                      Arguments{"--threads", "0"}, Arguments{"--threads", "-2"}, Arguments{"--threads", "1000000"}));

TEST(TrainOptions, RefuseAnEmptyPath) {
  for (const char* flag : {"--data", "--log", "--summary"}) EXPECT_NE(refusal({flag, ""}), "") << flag;
}

}  // namespace
}  // namespace amphora::app
