// The time of a kernel call, by the host's clock around many of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "amphora/device/device.h"

namespace amphora::bench {

class Stopwatch {
 public:
  // A batch of calls stands between two waits and takes about `batch_seconds`.
  Stopwatch(Device& device, int batches, double batch_seconds)
      : device_(device), batches_(batches), batch_seconds_(batch_seconds) {}

  // Of one call, the median of the batches.
  double seconds(const KernelCall& call) const {
    device_.launch(call);  // compiles, chooses algorithms
    device_.wait();
    const double once = std::max(batch(call, 1), kShortest);
    const int calls = static_cast<int>(std::clamp(batch_seconds_ / once, 1.0, kMaxCalls));
    batch(call, calls);  // clocks rise under load
    std::vector<double> times;
    for (int i = 0; i < batches_; ++i) times.push_back(batch(call, calls) / calls);
    std::nth_element(times.begin(), times.begin() + batches_ / 2, times.end());
    return times[static_cast<std::size_t>(batches_) / 2];
  }

 private:
  static constexpr double kShortest = 1e-7;
  static constexpr double kMaxCalls = 2000.0;

  double batch(const KernelCall& call, int calls) const {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) device_.launch(call);
    device_.wait();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  Device& device_;
  int batches_;
  double batch_seconds_;
};

}  // namespace amphora::bench
