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

// Once as it is, twice captured; where copies of weights were made in the first step, once more as it is.
constexpr std::int64_t kStepsUntilRecorded = 4;

std::shared_ptr<Device> open(const Options& options) {
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

std::unique_ptr<io::LineFile> open_log(const Options& options) {
  if (options.mode != Mode::train) return nullptr;
  if (!options.summary.empty()) io::check_writable(options.summary);
  return options.log.empty() ? nullptr : std::make_unique<io::LineFile>(options.log);
}

std::string describe_run(const Options& options, const DeviceInfo& info) {
  return fmt::format("{}: {} on {} ({}), batch {}", options.program, name_of(options.precision), info.backend,
                     info.name, options.batch_size);
}

}  // namespace

Batches::Batches(Session& session, const data::Loader& loader)
    : session_(session), loader_(loader), steps_(session.step_count(loader)) {}

Batches::Iterator Batches::begin() {
  session_.monitor_.start({.epochs = session_.options_.epochs, .steps = steps_});
  batch_.step = -1;
  advance();
  return Iterator(*this);
}

void Batches::advance() {
  const std::int64_t count = loader_.batch_count();
  const std::int64_t accumulate = session_.options_.accumulate;
  if (batch_.images.defined()) {
    items_ += batch_.labels.count();
    if (batch_.ends_step) session_.end_step(batch_, std::exchange(items_, 0), position_ + 1 == count);
  }
  const bool begins_step = batch_.ends_step;
  if (begins_step && batch_.step + 1 == steps_) {
    batch_ = {};
    return;
  }
  if (++position_ == count) {
    position_ = 0;
    ++batch_.epoch;
  }
  if (begins_step) session_.begin_step(++batch_.step);
  static_cast<data::Batch&>(batch_) = fetch();
  const std::int64_t step_start = position_ - position_ % accumulate;
  batch_.batches_in_step = static_cast<float>(std::min(accumulate, count - step_start));
  batch_.ends_step = position_ + 1 == std::min(step_start + accumulate, count);
}

data::Batch Batches::fetch() {
  const bool keep = session_.options_.mode == Mode::bench;
  if (keep && batch_.epoch > 0) return kept_[static_cast<std::size_t>(position_)];
  if (position_ == 0) epoch_.emplace(loader_.epoch(batch_.epoch));
  data::Batch batch = epoch_->next();
  if (keep) kept_.push_back(batch);
  return batch;
}

Session::Session(const Options& options)
    : options_(options),
      device_(open(options)),
      monitor_(options.quiet, open_log(options), options.scaler.init_scale),
      bench_(*device_) {}

data::Split Session::fashion_mnist() const {
  if (options_.mode == Mode::train) return data::load_fashion_mnist(options_.data);
  return {.train = data::synthetic_images(options_.batch_size * options_.accumulate, options_.seed),
          .test = data::synthetic_images(1, options_.seed)};
}

std::int64_t Session::step_count(const data::Loader& loader) const {
  switch (options_.mode) {
    case Mode::explain: return 1;
    case Mode::bench: return Bench::kSteps;
    case Mode::plan: return kStepsUntilRecorded;
    case Mode::train: break;
  }
  return options_.epochs * ((loader.batch_count() + options_.accumulate - 1) / options_.accumulate);
}

void Session::begin_step(std::int64_t step) {
  if (options_.mode == Mode::explain) trace_.emplace();
  if (options_.mode == Mode::bench) bench_.begin_step(step);
}

void Session::end_step(const Batch& last, std::int64_t items, bool ends_epoch) {
  if (options_.mode == Mode::explain) {
    explanation_ = trace_->str();
    trace_.reset();
  }
  if (options_.mode == Mode::bench) bench_.end_step(last.step);
  monitor_.step_over(last.epoch, items, ends_epoch && options_.mode == Mode::train);
}

void Session::finish(const train::StepRunner& step, const std::function<double()>& test_accuracy) {
  monitor_.stop();
  switch (options_.mode) {
    case Mode::train: finish_training(test_accuracy); break;
    case Mode::explain:
      fmt::print("{}: {}, masters/products/losses/gradients {}\n\n{}", options_.program, name_of(options_.precision),
                 amp::policy_of(options_.precision).str(), explanation_);
      break;
    case Mode::bench:
      fmt::print("{}\n{}", describe_run(options_, device_->info()),
                 bench_.str(options_.batch_size * options_.accumulate));
      break;
    case Mode::plan: print_plans(step); break;
  }
}

void Session::print_plans(const train::StepRunner& step) const {
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

void Session::finish_training(const std::function<double()>& test_accuracy) {
  Summary summary;
  monitor_.report(summary);
  add_memory(summary, device_->memory());
  summary.backend = device_->info().backend;
  summary.device = device_->info().name;
  summary.precision = options_.precision;
  summary.seed = options_.seed;
  summary.test_accuracy = test_accuracy();
  if (!options_.summary.empty()) io::write_file(options_.summary, to_json(summary));
  if (!options_.quiet) fmt::print("{}\n{}", describe_run(options_, device_->info()), to_text(summary));
}

}  // namespace amphora::app
