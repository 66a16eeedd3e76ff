#include "amphora/app/monitor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "amphora/io/json.h"

namespace amphora::app {

namespace {

constexpr std::size_t kStepsUnderWay = 2;

}  // namespace

double median(std::vector<float> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (static_cast<double>(*middle) + *std::max_element(values.begin(), middle));
}

Monitor::Monitor(bool quiet, std::unique_ptr<io::LineFile> log, float init_scale, std::string unit)
    : init_scale_(init_scale), unit_(std::move(unit)), progress_(quiet), log_(std::move(log)) {}

void Monitor::start(const RunLength& length) {
  length_ = length;
  start_ = last_ = Clock::now();
}

void Monitor::add(const train::StepResult& result, float lr) {
  current_.lr = lr;
  current_.results.push_back(result);
}

void Monitor::step_over(std::int64_t step, std::int64_t epoch, std::int64_t items, bool ends_epoch) {
  current_.step = step;
  current_.epoch = epoch;
  current_.ends_epoch = ends_epoch;
  pending_.push_back(std::exchange(current_, {}));
  items_ += items;
  while (pending_.size() > kStepsUnderWay) {
    read(pending_.front());
    pending_.pop_front();
  }
  const Clock::time_point now = Clock::now();
  step_ms_.push_back(std::chrono::duration<float, std::milli>(now - last_).count());
  last_ = now;
}

void Monitor::stop() {
  for (; !pending_.empty(); pending_.pop_front()) read(pending_.front());
  seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
  progress_.clear();
}

void Monitor::read(Pending& pending) {
  double loss = 0.0;
  for (const train::StepResult& result : pending.results) loss += result.loss();
  const std::optional<ScalerState> scaler = pending.results.empty() ? std::nullopt : pending.results.back().scaler();
  scaled_ = scaler.has_value();
  if (scaled_ && scales_.empty()) scales_.push_back({0, init_scale_});
  const bool skipped = scaled_ && std::exchange(skips_seen_, scaler->skipped) != scaler->skipped;
  write_log(pending, loss, skipped);
  ++steps_read_;
  if (skipped) ++skipped_;
  if (scaled_ && scaler->scale != scales_.back().scale) scales_.push_back({pending.step + 1, scaler->scale});
  epoch_loss_ += loss;
  ++epoch_steps_;
  if (std::isfinite(loss)) smooth_loss_ = smooth_loss_ ? *smooth_loss_ + 0.05 * (loss - *smooth_loss_) : loss;
  if (progress_.wants_bar()) progress_.bar(progress_state(pending.epoch, smooth_loss_.value_or(loss)));
  if (pending.ends_epoch) {
    final_loss_ = epoch_loss_ / static_cast<double>(std::exchange(epoch_steps_, 0));
    epoch_loss_ = 0.0;
    progress_.epoch_done(progress_state(pending.epoch, final_loss_));
  }
}

void Monitor::write_log(const Pending& pending, double loss, bool skipped) {
  if (log_ == nullptr) return;
  // The scale is the one that the step used. A loss that is not finite becomes null.
  const io::Json line = {{"step", pending.step + 1},
                         {"epoch", pending.epoch + 1},
                         {"loss", loss},
                         {"loss_scale", scales_.empty() ? 1.0f : scales_.back().scale},
                         {"skipped", skipped},
                         {"lr", pending.lr}};
  log_->write(line.dump());
}

ProgressState Monitor::progress_state(std::int64_t epoch, double loss) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return {.epoch = epoch + 1,
          .epochs = length_.epochs,
          .step = steps_read_,
          .steps = length_.steps,
          .loss = loss,
          .items_per_second = static_cast<double>(items_) / std::max(seconds, 1e-9),
          .unit = unit_,
          .scaled = scaled_,
          .loss_scale = scales_.empty() ? 1.0f : scales_.back().scale,
          .skipped = skipped_};
}

void Monitor::report(Summary& summary) const {
  summary.final_loss = final_loss_;
  summary.seconds = seconds_;
  summary.unit = unit_;
  summary.items_per_second = seconds_ > 0.0 ? static_cast<double>(items_) / seconds_ : 0.0;
  summary.median_step_ms = median(step_ms_);
  summary.scaled = scaled_;
  summary.loss_scales = scales_;
  summary.steps = steps_read_;
  summary.skipped_steps = skipped_;
}

}  // namespace amphora::app
