// A small training run inside the test's own process, with the loop of samples/mlp.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "amphora/app.h"

namespace amphora::testing {

struct SmallRun {
  std::vector<float> masters;  // of all parameters, at the end
  Counters counters;           // of the training loop, from `count_from` on
};

// Trains 784-64-10 on `images` as `options` say; the counters start anew at step `count_from`.
SmallRun train_small(const app::TrainingOptions& options, const data::ImageSet& images, std::int64_t count_from = 0);

}  // namespace amphora::testing
