#include "amphora/app/options.h"

#include <gtest/gtest.h>

namespace amphora::app {
namespace {

using Arguments = std::vector<std::string>;

Options parse(const Arguments& arguments) { return parse_options("mlp", arguments); }

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
  EXPECT_EQ(options.optimizer, OptimizerKind::adamw);
  EXPECT_EQ(options.accumulate, 1);
  EXPECT_EQ(options.clip_norm, 1.0f);
  EXPECT_EQ(options.ema, 0.0f);
  EXPECT_EQ(options.seed, 1u);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.device, "");
  EXPECT_FALSE(options.quiet);
  EXPECT_EQ(options.help, "");
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
  EXPECT_EQ(options.optimizer, OptimizerKind::adam);
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
  const std::string help = parse({"--help"}).help;
  for (const char* flag :
       {"--backend",   "--precision",  "--epochs",     "--batch-size",      "--lr",      "--optimizer", "--accumulate",
        "--clip-norm", "--loss-scale", "--init-scale", "--growth-interval", "--ema",     "--seed",      "--threads",
        "--data",      "--log",        "--summary",    "--quiet",           "--explain", "--bench"}) {
    EXPECT_NE(help.find(flag), std::string::npos) << flag;
  }
  EXPECT_EQ(parse({"-h"}).help, help);
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
                      Arguments{"--optimizer", "lion"}, Arguments{"--epochs", "-1"}, Arguments{"--epochs", "two"},
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
