// What a user sees while a run goes on: a bar on a terminal, a line an epoch elsewhere. On stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace amphora::app {

struct ProgressState {
  std::int64_t epoch = 0;  // counted from 1
  std::int64_t epochs = 0;
  std::int64_t step = 0;  // steps done in all
  std::int64_t steps = 0;
  double loss = 0.0;
  double items_per_second = 0.0;
  std::string unit = "items";  // of these
  bool scaled = false;
  float loss_scale = 1.0f;
  std::int64_t skipped = 0;
};

class Progress {
 public:
  explicit Progress(bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  // Draws the bar, at most ten times a second. Whether it would draw is cheap to ask.
  bool wants_bar() const;
  void bar(const ProgressState& state);
  void epoch_done(const ProgressState& state);
  // Removes the bar, so that other output can follow.
  void clear();

 private:
  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_;
};

// The parts that the bar and an epoch's line share: "loss 0.3127  31185 images/s  loss scale 65536  skipped 0".
std::string describe(const ProgressState& state);

}  // namespace amphora::app
