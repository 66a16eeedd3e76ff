#include "amphora/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "amphora/core/error.h"

namespace amphora::optim {

Schedule constant(float lr) {
  return [lr](std::int64_t) { return lr; };
}

Schedule warmup_cosine(float lr, std::int64_t warmup, std::int64_t total, float min_lr) {
  require(warmup >= 0 && warmup <= total, "a warm-up of {} steps in a schedule of {}", warmup, total);
  return [=](std::int64_t step) {
    if (step < warmup) return lr * static_cast<float>(step + 1) / static_cast<float>(warmup);
    const double length = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
    const double progress = std::min(1.0, static_cast<double>(step - warmup) / length);
    const double share = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    return min_lr + (lr - min_lr) * static_cast<float>(share);
  };
}

Schedule step_decay(float lr, std::int64_t interval, float factor) {
  require(interval > 0, "step decay every {} steps; the interval must be positive", interval);
  return [=](std::int64_t step) {
    const std::int64_t decays = step / interval;
    return lr * std::pow(factor, static_cast<float>(decays));
  };
}

}  // namespace amphora::optim
