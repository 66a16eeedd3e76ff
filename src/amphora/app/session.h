// Session: what surrounds a training loop. It opens the device, hands out batches, follows the run without making it
// wait, and reports.
//
//   using Session = app::Session<data::ImageBatch>;
//   Session session(options);
//   data::Loader loader(session.device(), images, {.batch_size = options.batch_size, .seed = options.seed});
//   train::Step step(session.device(), [&](const Session::Batch& batch) {
//     Tensor loss = ... * batch.loss_share;
//     ...
//     return loss;
//   });
//   for (const Session::Batch& batch : session.batches(loader)) session.log(step(batch), optimizer);
//   session.finish(step, [&] { return app::Metrics{{"test_accuracy", ...}}; });
//
// The same loop serves --explain (one step, traced), --bench (the same batch again and again, timed) and --plan (a few
// steps, until they are recorded).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "amphora/app/bench.h"
#include "amphora/app/monitor.h"
#include "amphora/app/sample.h"
#include "amphora/app/training_options.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/input_range.h"
#include "amphora/data/loader.h"
#include "amphora/device/device.h"
#include "amphora/optim/optimizer.h"
#include "amphora/train/step.h"

namespace amphora::app {

// Where a batch stands in a run.
struct BatchPlace {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  float loss_share = 1.0f;  // what its loss is multiplied by: 1 / the batches whose gradients add up to its step
  bool ends_step = true;

  // For train::Step: what differs from batch to batch beside the tensors.
  std::array<std::int64_t, 2> mode() const { return {std::bit_cast<std::int32_t>(loss_share), ends_step ? 1 : 0}; }
};

// A batch as a part of a step.
template <class Data>
struct MicroBatch : Data, BatchPlace {};

// What throughput counts: `per_item` of these are in each item of the loader's, such as tokens in a sequence.
struct Unit {
  std::string name;
  std::int64_t per_item = 1;
};

// All of a Session that does not depend on the type of its batches.
class SessionCore {
 public:
  SessionCore(const SessionCore&) = delete;
  SessionCore& operator=(const SessionCore&) = delete;

  Device& device() const { return *device_; }

  // Steps that a run over the loader's batches takes, from its first epoch on.
  std::int64_t step_count(const data::TensorLoader& loader) const;

  // What a batch left, which is its share of the step where several make one. Waits for nothing.
  void log(const train::StepResult& result, const optim::Optimizer& optimizer) { monitor_.add(result, optimizer.lr()); }

  // Asks for the metrics that the sample declares, after training, and prints and writes the result; prints what
  // --explain, --bench or --plan found. Throws Error when a plan is asked for and the step has none, and for metrics
  // that are not those declared.
  void finish(const train::StepRunner& step, const std::function<Metrics()>& evaluate);

 protected:
  SessionCore(const TrainingOptions& options, Unit unit);

  // Goes from batch to batch of a run, begins steps and ends them.
  class Walk {
   public:
    Walk(SessionCore& session, const data::TensorLoader& loader);
    // Ends what the batch before has begun. The next one's place; nothing where the run is over.
    std::optional<BatchPlace> next();
    std::int64_t batch() const { return batch_; }  // in its epoch

   private:
    SessionCore& session_;
    const data::TensorLoader& loader_;
    std::int64_t steps_;  // in all
    std::optional<BatchPlace> place_;
    std::int64_t epoch_;
    std::int64_t batch_;
    std::int64_t step_;
    std::int64_t items_ = 0;  // of the current step so far
  };

  bool repeats_batches() const { return options_.mode == Mode::bench; }

 private:
  void begin_step(std::int64_t step);
  void end_step(const BatchPlace& last, std::int64_t items, bool ends_epoch);
  void finish_training(const std::function<Metrics()>& evaluate);
  void print_plans(const train::StepRunner& step) const;

  TrainingOptions options_;
  Unit unit_;
  std::shared_ptr<Device> device_;
  Monitor monitor_;
  std::optional<autograd::Trace> trace_;
  std::string explanation_;
  Bench bench_;
};

// Data: the loader's batches.
template <class Data>
class Session : public SessionCore {
 public:
  using Batch = MicroBatch<Data>;

  // Opens the device and the log. Throws Error when the precision is not the device's, or the log or the summary cannot
  // be written: before time is spent on anything else.
  explicit Session(const TrainingOptions& options) : Session(options, {options.sample.items}) {}
  Session(const TrainingOptions& options, Unit unit) : SessionCore(options, std::move(unit)) {}

  // The batches of a whole run; a range, walked once. It goes on where the loader stands, which is at its beginning
  // unless a checkpoint was read. The session and the loader must outlive it.
  auto batches(data::Loader<Data>& loader) {
    return InputRange([this, &loader, walk = Walk(*this, loader), kept = std::vector<Data>()]() mutable {
      const std::optional<BatchPlace> place = walk.next();
      if (!place) return std::optional<Batch>();
      if (!repeats_batches()) return std::optional<Batch>(Batch{loader.next(), *place});
      if (place->epoch == 0) kept.push_back(loader.next());
      return std::optional<Batch>(Batch{kept[static_cast<std::size_t>(walk.batch())], *place});
    });
  }
};

}  // namespace amphora::app
