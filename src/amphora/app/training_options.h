// The command line that all samples share. A sample with flags of its own derives from it:
//
//   struct ToyOptions : app::TrainingOptions {
//     float noise = 0.1f;
//     void add_flags(app::CommandLine& line) {
//       TrainingOptions::add_flags(line);
//       line.add_number("--noise", noise, "SIGMA", "of the data", "a number of at least 0", app::not_negative);
//     }
//   };
#pragma once

#include <cstdint>
#include <string>

#include "amphora/amp/grad_scaler.h"
#include "amphora/app/command_line.h"
#include "amphora/app/plan_format.h"
#include "amphora/app/sample.h"
#include "amphora/device/device.h"

namespace amphora::app {

enum class Mode : std::uint8_t {
  train,
  explain,  // one step on made-up data, printed op by op
  bench,    // the time of a step, and of its kernels
  plan,     // the recorded step, call by call
};

struct TrainingOptions {
  Sample sample;  // whose options these are
  Mode mode = Mode::train;
  std::string backend = "auto";
  std::string device;  // of several; empty: the first
  Precision precision = Precision::f16;
  std::int64_t epochs = 5;
  std::int64_t batch_size = 128;
  float lr = 1e-3f;
  std::string optimizer = "adamw";  // a row of optimizers()
  std::int64_t accumulate = 1;      // batches that make one step
  float clip_norm = 1.0f;           // 0: no clipping
  amp::GradScalerOptions scaler;
  float ema = 0.0f;  // the decay; 0: no average
  std::uint64_t seed = 1;
  int threads = 0;  // 0: one for each core
  std::string log;
  std::string summary;
  PlanFormat plan_format = PlanFormat::text;
  bool fuse = false;     // passes that change roundings, too
  bool profile = false;  // the recorded step's calls are timed
  bool quiet = false;

  // All flags. They are the two groups below, for a sample that puts its own between them.
  void add_flags(CommandLine& line);
  void add_machine_flags(CommandLine& line);   // backend, device, precision, threads
  void add_training_flags(CommandLine& line);  // all others

 private:
  void add_recipe_flags(CommandLine& line);
  void add_scaler_flags(CommandLine& line);
  void add_output_flags(CommandLine& line);
  void add_mode_flags(CommandLine& line);
};

// What --help says of a sample's program.
CommandLine::About about(const Sample& sample);

// Options with the flags that the arguments give. Throws UsageError, see CommandLine::parse().
template <class Options>
Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  CommandLine line(about(options.sample));
  options.add_flags(line);
  line.parse(arguments);
  return options;
}

}  // namespace amphora::app
