#include "amphora/app/session.h"

#include <algorithm>
#include <cstdio>

#include "amphora/amp/policy.h"
#include "amphora/app/plan_report.h"
#include "amphora/app/summary.h"
#include "amphora/core/error.h"
#include "amphora/device/registry.h"

namespace amphora::app {

namespace {

// Once eagerly, twice captured; where copies of weights were made in the first step, once more eagerly.
constexpr std::int64_t kStepsUntilRecorded = 4;

std::shared_ptr<Device> open(const TrainingOptions& options) {
  std::shared_ptr<Device> device = open_device(options.backend, {.threads = options.threads, .device = options.device});
  const DeviceInfo& info = device->info();
  std::string names;
  for (const Precision precision : info.precisions) {
    if (precision == options.precision) return device;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(precision));
  }
  fail("the backend {} ({}) has no precision {}; choose one of {} by --precision", info.backend, info.name,
       name_of(options.precision), names);
}

std::unique_ptr<io::LineFile> open_log(const TrainingOptions& options) {
  if (options.mode != Mode::train) return nullptr;
  if (!options.summary.empty()) io::check_writable(options.summary);
  return options.log.empty() ? nullptr : std::make_unique<io::LineFile>(options.log);
}

std::string describe_run(const TrainingOptions& options, const DeviceInfo& info) {
  return fmt::format("{}: {} on {} ({}), batch {}", options.sample.name, name_of(options.precision), info.backend,
                     info.name, options.batch_size);
}

std::int64_t steps_of_epoch(const data::TensorLoader& loader, std::int64_t accumulate) {
  return (loader.batch_count() + accumulate - 1) / accumulate;
}

}  // namespace

SessionCore::Walk::Walk(SessionCore& session, const data::TensorLoader& loader)
    : session_(session),
      loader_(loader),
      steps_(session.step_count(loader)),
      epoch_(loader.position().epoch),
      batch_(loader.position().batch - 1),
      step_(epoch_ * steps_of_epoch(loader, session.options_.accumulate) +
            loader.position().batch / session.options_.accumulate - 1) {}

std::optional<BatchPlace> SessionCore::Walk::next() {
  const std::int64_t count = loader_.batch_count();
  const std::int64_t accumulate = session_.options_.accumulate;
  if (place_) {
    items_ += loader_.items_of(batch_) * session_.unit_.per_item;
    if (place_->ends_step) session_.end_step(*place_, std::exchange(items_, 0), batch_ + 1 == count);
  } else {
    session_.monitor_.start({.epochs = session_.options_.epochs, .steps = steps_});
  }
  const bool begins_step = !place_ || place_->ends_step;
  if (begins_step && step_ + 1 >= steps_) {
    place_.reset();
    return place_;
  }
  if (++batch_ == count) {
    batch_ = 0;
    ++epoch_;
  }
  if (begins_step) session_.begin_step(++step_);
  const std::int64_t step_start = batch_ - batch_ % accumulate;
  const std::int64_t in_step = std::min(accumulate, count - step_start);  // fewer at an epoch's end
  place_ = {.epoch = epoch_,
            .step = step_,
            .loss_share = 1.0f / static_cast<float>(in_step),
            .ends_step = batch_ + 1 == step_start + in_step};
  return place_;
}

SessionCore::SessionCore(const TrainingOptions& options, Unit unit)
    : options_(options),
      unit_(std::move(unit)),
      device_(open(options)),
      monitor_(options.quiet, open_log(options), options.scaler.init_scale, unit_.name),
      bench_(*device_) {}

std::int64_t SessionCore::step_count(const data::TensorLoader& loader) const {
  switch (options_.mode) {
    case Mode::explain: return 1;
    case Mode::bench: return Bench::kSteps;
    case Mode::plan: return kStepsUntilRecorded;
    case Mode::train: break;
  }
  return options_.epochs * steps_of_epoch(loader, options_.accumulate);
}

void SessionCore::begin_step(std::int64_t step) {
  if (options_.mode == Mode::explain) trace_.emplace();
  if (options_.mode == Mode::bench) bench_.begin_step(step);
}

void SessionCore::end_step(const BatchPlace& last, std::int64_t items, bool ends_epoch) {
  if (options_.mode == Mode::explain) {
    explanation_ = trace_->str();
    trace_.reset();
  }
  if (options_.mode == Mode::bench) bench_.end_step(last.step);
  monitor_.step_over(last.step, last.epoch, items, ends_epoch && options_.mode == Mode::train);
}

void SessionCore::finish(const train::StepRunner& step, const std::function<Metrics()>& evaluate) {
  monitor_.stop();
  switch (options_.mode) {
    case Mode::train: finish_training(evaluate); break;
    case Mode::explain:
      fmt::print("{}: {}, masters/products/losses/gradients {}\n\n{}", options_.sample.name,
                 name_of(options_.precision), amp::policy_of(options_.precision).str(), explanation_);
      break;
    case Mode::bench:
      fmt::print("{}\n{}", describe_run(options_, device_->info()),
                 bench_.str(options_.batch_size * options_.accumulate * unit_.per_item, unit_.name));
      break;
    case Mode::plan: print_plans(step); break;
  }
}

void SessionCore::print_plans(const train::StepRunner& step) const {
  const std::vector<train::StepPlan> plans = step.plans();
  require(!plans.empty(), "there is no recorded step to show{}{}; is AMPHORA_EAGER or AMPHORA_CHECK set?",
          step.reason_against_replay().empty() ? "" : ": ", step.reason_against_replay());
  std::vector<std::vector<CallTime>> times;
  if (options_.profile) {
    for (const train::StepPlan& plan : plans) times.push_back(profile(*device_, plan));
  }
  if (options_.plan_format == PlanFormat::text) fmt::print("{}\n\n", describe_run(options_, device_->info()));
  fmt::print("{}", report(plans, times, options_.plan_format, device_->info()));
}

void SessionCore::finish_training(const std::function<Metrics()>& evaluate) {
  Summary summary;
  monitor_.report(summary);
  add_memory(summary, device_->memory());
  summary.backend = device_->info().backend;
  summary.device = device_->info().name;
  summary.precision = options_.precision;
  summary.seed = options_.seed;
  summary.metrics = match(options_.sample.metrics, evaluate());
  if (!options_.summary.empty()) io::write_file(options_.summary, to_json(summary));
  if (!options_.quiet) fmt::print("{}\n{}", describe_run(options_, device_->info()), to_text(summary));
}

}  // namespace amphora::app
