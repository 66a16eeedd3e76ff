#include "amphora/amp/grad_scaler.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "amphora/autograd/tape.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/launch.h"

namespace amphora::amp {

namespace {

constexpr std::int64_t kStateWords = sizeof(ScalerState) / 4;

float first_float(std::span<const std::byte> bytes) {
  float value = 0.0f;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void trace(const char* op) {
  if (autograd::Trace* active = autograd::active_trace()) active->add({.phase = "step", .op = op});
}

}  // namespace

bool StepOutcome::applied() const {
  if (captured_) throw StateError("a step that was captured has no outcome; the scaler's state counts skipped steps");
  return found_inf_ == nullptr || first_float(found_inf_->get()) == 0.0f;
}

StepOutcome StepOutcome::captured() {
  StepOutcome outcome;
  outcome.captured_ = true;
  return outcome;
}

GradScaler::GradScaler(const GradScalerOptions& options)
    : options_(options),
      initial_{.scale = options.init_scale,
               .growth_tracker = 0,
               .hysteresis_tracker = options.hysteresis,
               .found_inf = 0.0f,
               .updates = 0,
               .skipped = 0} {
  validate();
}

void GradScaler::validate() const {
  const GradScalerOptions& o = options_;
  if (!o.enabled) return;
  require(o.growth_factor > 1.0f, "GradScaler: growth_factor is {}; it must be above 1", o.growth_factor);
  require(o.backoff_factor > 0.0f && o.backoff_factor < 1.0f, "GradScaler: backoff_factor is {}; it must be in (0, 1)",
          o.backoff_factor);
  require(std::isfinite(o.init_scale) && o.init_scale > 0.0f,
          "GradScaler: the loss scale is {}; it must be finite and above 0", o.init_scale);
  require(o.growth_interval >= 0, "GradScaler: growth_interval is {}; it must be at least 0", o.growth_interval);
  require(o.hysteresis >= 1, "GradScaler: hysteresis is {}; it must be at least 1", o.hysteresis);
  require(o.min_scale >= 0.0f && o.min_scale <= o.init_scale && o.init_scale <= o.max_scale,
          "GradScaler: the loss scale {} is outside of its bounds [{}, {}]", o.init_scale, o.min_scale, o.max_scale);
}

Tensor GradScaler::scale(const Tensor& loss) {
  if (!options_.enabled) return loss;
  const OpPlace place("forward", "scale");
  require(loss.defined() && is_floating(loss.dtype()), "GradScaler::scale needs a floating tensor");
  if (!state_.defined()) {
    state_ = Tensor::empty(loss.device(), {kStateWords}, DType::i32, MemoryKind::optimizer_state);
    write(initial_);
  }
  const Tensor scale(state_.buffer(), 0, Shape{}, Strides{}, DType::f32);  // the state's first member, in place
  const Tensor source = contiguous(loss);
  const DType type = loss.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const auto multiply = [scale](const Tensor& x, DType result) {
    Tensor y = Tensor::empty(x.device(), x.shape(), result);
    BinaryParams params{};
    params.rank = 1;
    params.sizes[0] = count_of(x);
    params.a_strides[0] = 1;  // the scale's stride stays 0: it repeats
    const Spec spec{.types = {x.dtype(), DType::f32, result},
                    .function = static_cast<std::uint8_t>(BinaryFunction::mul)};
    KernelCall call(KernelId::binary, spec, params);
    x.device().launch(call.with(range_of(x)).with(range_of(scale)).with(range_of(y)));
    return y;
  };
  Tensor scaled = multiply(source, type);
  autograd::record("scale", scaled, {loss},
                   [multiply, dtype = loss.dtype()](const Tensor& dy, autograd::Gradients& gradients) {
                     gradients.give(0, multiply(contiguous(dy), dtype));
                   });
  trace("scale");
  return scaled;
}

std::vector<Tensor> GradScaler::scale(const std::vector<Tensor>& losses) {
  std::vector<Tensor> scaled;
  scaled.reserve(losses.size());
  for (const Tensor& loss : losses) scaled.push_back(scale(loss));
  return scaled;
}

void GradScaler::require_started(const char* call) const {
  if (!state_.defined()) {
    throw StateError(
        fmt::format("GradScaler::{} before the first scale(): scale the loss and call backward() first", call));
  }
}

GradScaler::Record& GradScaler::record_of(GradientOwner& optimizer) {
  Record& record = records_[&optimizer];
  if (!record.stats.defined()) {
    record.stats = Tensor::empty(state_.device(), {1}, DType::f32, MemoryKind::optimizer_state);
  }
  return record;
}

void GradScaler::gather_stats(KernelId kernel, GradientOwner& optimizer, Record& record) {
  launch_fill(record.stats, 0.0f);
  for (const Tensor& gradient : optimizer.gradients()) {
    KernelCall call(kernel, Spec{.types = {gradient.dtype()}}, CountParams{count_of(gradient)});
    gradient.device().launch(call.with(range_of(gradient)).with(range_of(state_)).with(range_of(record.stats)));
  }
}

void GradScaler::unscale(GradientOwner& optimizer) {
  if (!options_.enabled) return;
  const OpPlace place("step", "unscale");
  require_started("unscale");
  Record& record = record_of(optimizer);
  if (record.stage == Stage::unscaled) {
    throw StateError("GradScaler::unscale was already called for this optimizer since the last update()");
  }
  if (record.stage == Stage::stepped) {
    throw StateError("GradScaler::unscale after step(): call it before step(), once between updates");
  }
  gather_stats(KernelId::unscale, optimizer, record);
  record.stage = Stage::unscaled;
  trace("unscale");
}

StepOutcome GradScaler::step(GradientOwner& optimizer) {
  if (!options_.enabled) {
    optimizer.apply({}, {}, false);
    return {};
  }
  const OpPlace place("step", "step");
  require_started("step");
  Record& record = record_of(optimizer);
  if (record.stage == Stage::stepped) {
    throw StateError("GradScaler::step was already called for this optimizer since the last update()");
  }
  const bool unscale = record.stage == Stage::ready;
  if (unscale) gather_stats(KernelId::inspect, optimizer, record);
  optimizer.apply(record.stats, state_, unscale);
  record.stage = Stage::stepped;
  if (plan::Recorder::capturing() != nullptr) return StepOutcome::captured();
  return StepOutcome(state_.device().read_later(*record.stats.buffer(), 0, sizeof(GradientStats)));
}

void GradScaler::update() {
  if (!options_.enabled) return;
  const OpPlace place("step", "update");
  require_started("update");
  bool any = false;
  for (auto& [optimizer, record] : records_) {
    any = any || record.stage != Stage::ready;
    record.stage = Stage::ready;
  }
  if (!any) {
    throw StateError("GradScaler::update: no optimizer was unscaled or stepped since the last update()");
  }
  options_version_.depend();
  const ScalerUpdateParams params{.growth_factor = options_.growth_factor,
                                  .backoff_factor = options_.backoff_factor,
                                  .min_scale = options_.min_scale,
                                  .max_scale = options_.max_scale,
                                  .growth_interval = options_.growth_interval,
                                  .hysteresis = options_.hysteresis,
                                  .dynamic = options_.dynamic ? 1 : 0};
  KernelCall call(KernelId::scaler_update, Spec{}, params);
  state_.device().launch(call.with(range_of(state_)));
  trace("update");
}

void GradScaler::update(float new_scale) {
  if (!options_.enabled) return;
  require_started("update");
  require(std::isfinite(new_scale) && new_scale > 0.0f && new_scale >= options_.min_scale &&
              new_scale <= options_.max_scale,
          "GradScaler::update to the scale {}; it must be finite, above 0 and within [{}, {}]", new_scale,
          options_.min_scale, options_.max_scale);
  state_.device().upload(*state_.buffer(), offsetof(ScalerState, scale), std::as_bytes(std::span(&new_scale, 1)));
  const float clean = 0.0f;
  state_.device().upload(*state_.buffer(), offsetof(ScalerState, found_inf), std::as_bytes(std::span(&clean, 1)));
  for (auto& [optimizer, record] : records_) record.stage = Stage::ready;
}

void GradScaler::set_growth_factor(float factor) {
  GradScalerOptions changed = options_;
  changed.growth_factor = factor;
  change(changed);
}
void GradScaler::set_backoff_factor(float factor) {
  GradScalerOptions changed = options_;
  changed.backoff_factor = factor;
  change(changed);
}
void GradScaler::set_growth_interval(int interval) {
  GradScalerOptions changed = options_;
  changed.growth_interval = interval;
  change(changed);
}

void GradScaler::change(const GradScalerOptions& options) {
  options_ = GradScaler(options).options_;
  options_version_ = options_version_ + 1;
}

float GradScaler::scale_value(CodeLine where) const {
  if (!options_.enabled) return 1.0f;
  return state_.defined() ? read(where).scale : initial_.scale;
}

std::unique_ptr<Readback> GradScaler::read_state() const {
  if (!options_.enabled || !state_.defined()) return nullptr;
  return state_.device().read_later(*state_.buffer(), 0, sizeof(ScalerState));
}

ScalerState GradScaler::read(CodeLine where) const {
  ScalerState state;
  state_.device().download(*state_.buffer(), 0, std::as_writable_bytes(std::span(&state, 1)), where);
  return state;
}

void GradScaler::write(const ScalerState& state) {
  state_.device().upload(*state_.buffer(), 0, std::as_bytes(std::span(&state, 1)));
}

void GradScaler::visit_state(StateVisitor& visitor) {
  if (!options_.enabled) return;
  for (const auto& [optimizer, record] : records_) {
    if (record.stage != Stage::ready) {
      throw StateError("GradScaler::visit_state between unscale() or step() and update(): do it after update()");
    }
  }
  GradScalerOptions options = options_;
  ScalerState state = state_.defined() ? read(CodeLine::current()) : initial_;
  visitor.number("scale", state.scale);
  visitor.number("growth_factor", options.growth_factor);
  visitor.number("backoff_factor", options.backoff_factor);
  visitor.integer("growth_interval", options.growth_interval);
  visitor.integer("_growth_tracker", state.growth_tracker);
  visitor.number("min_scale", options.min_scale);
  visitor.number("max_scale", options.max_scale);
  visitor.integer("hysteresis", options.hysteresis);
  visitor.integer("hysteresis_tracker", state.hysteresis_tracker);
  visitor.integer("updates", state.updates);
  visitor.integer("skipped", state.skipped);
  if (!visitor.restores()) return;
  options.init_scale = state.scale;
  change(options);
  initial_ = state;
  if (state_.defined()) write(state);
}

std::map<std::string, double> GradScaler::state() {
  class Collector : public StateVisitor {
   public:
    bool restores() const override { return false; }
    std::map<std::string, double> numbers;

   protected:
    void do_tensor(const std::string&, const Tensor&) override {}
    void do_number(const std::string& path, double& value) override { numbers[path] = value; }
    void do_integer(const std::string& path, std::int64_t& value) override {
      numbers[path] = static_cast<double>(value);
    }
  };
  Collector collector;
  visit_state(collector);
  return std::move(collector.numbers);
}

}  // namespace amphora::amp
