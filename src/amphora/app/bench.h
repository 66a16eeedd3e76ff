// The time of a training step, then the share of each kernel in it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "amphora/device/device.h"

namespace amphora::app {

class Bench {
 public:
  static constexpr std::int64_t kWarmUp = 10;
  static constexpr std::int64_t kTimed = 50;
  // The first steps warm up, the next are timed; the last are timed kernel by kernel, which makes them slower.
  static constexpr std::int64_t kSteps = kWarmUp + 2 * kTimed;

  explicit Bench(Device& device) : device_(device) {}
  void begin_step(std::int64_t step);
  void end_step(std::int64_t step);

  double median_ms() const;
  // `unit` is what a step has so many of: "images".
  std::string str(std::int64_t items_per_step, const std::string& unit) const;

 private:
  using Clock = std::chrono::steady_clock;
  Device& device_;
  Clock::time_point start_;
  std::vector<float> step_ms_;
  double profiled_ms_ = 0.0;
  Counters counters_;
};

}  // namespace amphora::app
