// Monitor: follows a run without making it wait.
//
// A step's results are read two steps later, when they have long arrived.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amphora/app/progress.h"
#include "amphora/app/summary.h"
#include "amphora/io/file.h"
#include "amphora/train/step.h"

namespace amphora::app {

struct RunLength {
  std::int64_t epochs = 0;
  std::int64_t steps = 0;  // in all
};

class Monitor {
 public:
  // `log` may be null; `init_scale` is the first loss scale; `unit` is what items are: "images".
  Monitor(bool quiet, std::unique_ptr<io::LineFile> log, float init_scale, std::string unit);

  void start(const RunLength& length);
  // A batch's share of the step: its loss counts; the scaler's state and the rate are those of the last batch.
  void add(const train::StepResult& result, float lr);
  // A step is over, loading included. Steps and epochs are counted from 0.
  void step_over(std::int64_t step, std::int64_t epoch, std::int64_t items, bool ends_epoch);
  // Reads what is still under way; the clock stops.
  void stop();

  // Loss, times and scaler; the rest of the summary stays as it is.
  void report(Summary& summary) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Pending {
    std::int64_t step = 0;
    std::int64_t epoch = 0;
    bool ends_epoch = false;
    float lr = 0.0f;
    std::vector<train::StepResult> results;
  };

  void read(Pending& pending);
  void write_log(const Pending& pending, double loss, bool skipped);
  ProgressState progress_state(std::int64_t epoch, double loss) const;

  float init_scale_;
  std::string unit_;
  Progress progress_;
  std::unique_ptr<io::LineFile> log_;
  RunLength length_;
  Pending current_;
  std::deque<Pending> pending_;

  Clock::time_point start_;
  Clock::time_point last_;
  double seconds_ = 0.0;
  std::vector<float> step_ms_;
  std::int64_t items_ = 0;

  std::int64_t steps_read_ = 0;
  std::int64_t skipped_ = 0;
  double epoch_loss_ = 0.0;  // summed over the steps of the epoch that is read now
  std::int64_t epoch_steps_ = 0;
  double final_loss_ = std::numeric_limits<double>::quiet_NaN();  // no epoch, no loss
  std::optional<double> smooth_loss_;
  bool scaled_ = false;
  std::int32_t skips_seen_ = 0;  // by the scaler
  std::vector<ScaleChange> scales_;
};

// Of an empty list: 0.
double median(std::vector<float> values);

}  // namespace amphora::app
