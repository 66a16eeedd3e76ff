// Session: what surrounds a training loop. It opens the device, hands out batches, follows the run without making it
// wait, and reports.
//
//   app::Session session(options);
//   data::Loader loader(session.device(), images, {.batch_size = options.batch_size});
//   train::Step step(session.device(), [&](const app::Batch& batch) {
//     ...
//     return loss;
//   });
//   for (const app::Batch& batch : session.batches(loader)) session.log(step(batch), optimizer->lr());
//   session.finish(step, [&] { return app::accuracy(model, test_loader, options.precision); });
//
// The same loop serves --explain (one step, traced), --bench (the same batch again and again, timed) and --plan (a few
// steps, until they are recorded).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "amphora/app/bench.h"
#include "amphora/app/monitor.h"
#include "amphora/app/options.h"
#include "amphora/autograd/trace.h"
#include "amphora/data/dataset.h"
#include "amphora/data/loader.h"
#include "amphora/device/device.h"
#include "amphora/train/step.h"

namespace amphora::app {

struct Batch : data::Batch {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  // Batches whose gradients add up to one step; fewer than --accumulate at an epoch's end.
  float batches_in_step = 1.0f;
  bool ends_step = true;
};

// For train::Step: what differs from batch to batch beside the images.
inline std::array<std::int64_t, 2> mode_of(const Batch& batch) {
  return {static_cast<std::int64_t>(batch.batches_in_step), batch.ends_step ? 1 : 0};
}

class Session;

// The batches of a whole run; a range, walked once.
class Batches {
 public:
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = Batch;
    explicit Iterator(Batches& batches) : batches_(&batches) {}
    const Batch& operator*() const { return batches_->batch_; }
    Iterator& operator++() {
      batches_->advance();
      return *this;
    }
    void operator++(int) { batches_->advance(); }
    bool operator==(std::default_sentinel_t) const { return !batches_->batch_.images.defined(); }

   private:
    Batches* batches_;
  };

  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Session;
  Batches(Session& session, const data::Loader& loader);
  void advance();
  data::Batch fetch();

  Session& session_;
  const data::Loader& loader_;
  std::int64_t steps_;
  std::optional<data::Epoch> epoch_;
  std::vector<data::Batch> kept_;  // of a benchmark
  Batch batch_;                    // undefined past the end
  std::int64_t position_ = -1;     // in its epoch
  std::int64_t items_ = 0;         // of the current step so far
};

class Session {
 public:
  // Opens the device and the log. Throws Error when the precision is not the device's, or the log or the summary cannot
  // be written: before time is spent on anything else.
  explicit Session(const Options& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Device& device() const { return *device_; }

  // The images of --data; synthetic ones of the same shape where nothing is learnt.
  data::Split fashion_mnist() const;

  // Steps that a run over the loader's batches takes.
  std::int64_t step_count(const data::Loader& loader) const;
  // The session and the loader must outlive the range.
  Batches batches(const data::Loader& loader) { return {*this, loader}; }

  // What a batch left, which is its share of the step where several make one. Waits for nothing.
  void log(const train::StepResult& result, float lr) { monitor_.add(result, lr); }

  // Asks for the test accuracy after training, and prints and writes the result; prints what --explain, --bench or
  // --plan found. Throws Error when a plan is asked for and the step has none.
  void finish(const train::StepRunner& step, const std::function<double()>& test_accuracy);

 private:
  friend class Batches;
  void begin_step(std::int64_t step);
  void end_step(const Batch& last, std::int64_t items, bool ends_epoch);
  void finish_training(const std::function<double()>& test_accuracy);
  void print_plans(const train::StepRunner& step) const;

  Options options_;
  std::shared_ptr<Device> device_;
  Monitor monitor_;
  std::optional<autograd::Trace> trace_;
  std::string explanation_;
  Bench bench_;
};

}  // namespace amphora::app
