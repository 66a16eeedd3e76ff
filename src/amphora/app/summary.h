// What a training run gives at its end: a table to read, and the same as JSON.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "amphora/app/sample.h"
#include "amphora/core/buffer.h"
#include "amphora/device/device.h"

namespace amphora::app {

// The loss scale is `scale` after this many steps.
struct ScaleChange {
  std::int64_t step;
  float scale;
};

struct MetricValue {
  Metric metric;
  double value = 0.0;
};

struct Summary {
  std::vector<MetricValue> metrics;  // of the trained model
  double final_loss = 0.0;           // mean over the last epoch
  double seconds = 0.0;              // of training, without loading and testing
  double items_per_second = 0.0;
  std::string unit = "items";  // of these
  double median_step_ms = 0.0;
  bool scaled = false;                   // whether a GradScaler was on
  std::vector<ScaleChange> loss_scales;  // the first one, then each change
  std::int64_t steps = 0;
  std::int64_t skipped_steps = 0;
  std::string backend;
  std::string device;
  Precision precision = Precision::f32;
  std::uint64_t seed = 0;
  std::array<std::size_t, kMemoryKinds> memory_bytes{};
  std::size_t peak_bytes = 0;

  float loss_scale() const { return loss_scales.empty() ? 1.0f : loss_scales.back().scale; }
};

// Bytes by kind: what stays is counted as it is now, what comes and goes (activations, inputs) at its peak.
void add_memory(Summary& summary, const MemoryUse& use);

// The values of `declared` by name. Throws Error unless `measured` has each of them once, and no other.
std::vector<MetricValue> match(const std::vector<Metric>& declared, const Metrics& measured);

std::string to_text(const Summary& summary);
std::string to_json(const Summary& summary);

// "65536 -> 32768 at step 12 -> 16384 at step 13"; a long history without its middle.
std::string describe(const std::vector<ScaleChange>& changes);

}  // namespace amphora::app
