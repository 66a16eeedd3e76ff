// The command line that all samples share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amphora/amp/grad_scaler.h"
#include "amphora/app/plan_format.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"

namespace amphora::app {

// A command line that cannot be understood; the program then exits with 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

enum class Mode : std::uint8_t {
  train,
  explain,  // one step on synthetic images, printed op by op
  bench,    // the time of a step, and of its kernels
  plan,     // the recorded step, call by call
};
enum class OptimizerKind : std::uint8_t { sgd, adam, adamw };

struct Options {
  std::string program;  // "mlp"
  Mode mode = Mode::train;
  std::string backend = "auto";
  std::string device;  // of several; empty: the first
  Precision precision = Precision::f16;
  std::int64_t epochs = 5;
  std::int64_t batch_size = 128;
  float lr = 1e-3f;
  OptimizerKind optimizer = OptimizerKind::adamw;
  std::int64_t accumulate = 1;  // batches that make one step
  float clip_norm = 1.0f;       // 0: no clipping
  amp::GradScalerOptions scaler;
  float ema = 0.0f;  // the decay; 0: no average
  std::uint64_t seed = 1;
  int threads = 0;  // 0: one for each core
  std::string data;
  std::string log;
  std::string summary;
  PlanFormat plan_format = PlanFormat::text;
  bool fuse = false;     // passes that change roundings, too
  bool profile = false;  // the recorded step's calls are timed
  bool quiet = false;
  std::string help;  // not empty: --help was given, and this is the answer
};

// Throws UsageError, with a message of one line, for an unknown flag or a value out of range.
Options parse_options(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace amphora::app
