// Session: what surrounds a training loop. It opens the device, hands out batches, follows the run without making it
// wait, and reports.
//
//   train::Session session(options);
//   data::Loader loader(session.device(), images, {.batch_size = options.batch_size});
//   for (const train::Batch& batch : session.batches(loader)) {
//     ...
//     session.add_loss(loss);
//     if (!batch.ends_step) continue;
//     ...
//     session.step_done(outcome, scaler, *optimizer);
//   }
//   session.finish([&] { return train::accuracy(model, test_loader, options.precision); });
//
// The same loop serves --explain (one step, traced) and --bench (the same batch again and again, timed).
#pragma once

#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "amp/grad_scaler.h"
#include "autograd/trace.h"
#include "backends/device.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "optim/optimizer.h"
#include "train/bench.h"
#include "train/monitor.h"
#include "train/options.h"

namespace amphora::train {

struct Batch : data::Batch {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  // Batches whose gradients add up to one step; fewer than --accumulate at an epoch's end.
  float batches_in_step = 1.0f;
  bool ends_step = true;
};

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

  // A batch's share of the step's loss. Waits for nothing.
  void add_loss(const Tensor& loss) { monitor_.add_loss(loss); }
  // After the scaler's update. Waits for nothing.
  void step_done(const amp::StepOutcome& outcome, const amp::GradScaler& scaler, const optim::Optimizer& optimizer) {
    monitor_.step_done(outcome, scaler, optimizer.lr());
  }

  // Asks for the test accuracy after training, and prints and writes the result; prints what --explain or --bench
  // found.
  void finish(const std::function<double()>& test_accuracy);

 private:
  friend class Batches;
  void begin_step(std::int64_t step);
  void end_step(const Batch& last, std::int64_t items, bool ends_epoch);
  void finish_training(const std::function<double()>& test_accuracy);

  Options options_;
  std::shared_ptr<Device> device_;
  Monitor monitor_;
  std::optional<autograd::Trace> trace_;
  std::string explanation_;
  Bench bench_;
};

}  // namespace amphora::train
