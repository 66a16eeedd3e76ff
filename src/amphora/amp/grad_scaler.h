// GradScaler: dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", ICLR 2018, section 3.2).
//
//   scaler.scale(loss).backward();
//   scaler.unscale(optimizer);                 // optional: when the gradients are to be clipped or seen
//   optim::clip_grad_norm(parameters, 1.0f);
//   scaler.step(optimizer);                    // skipped on the device when a gradient is not finite
//   scaler.update();                           // grows or backs off the scale
//
// All state lives on the device and no call here waits for it, except scale_value() and visit_state().
//
// It follows PyTorch's torch.amp.GradScaler, with these deviations:
//   - scale() multiplies in f32 and gives f32, so that a 16-bit loss cannot overflow by it;
//   - the scale has a floor (min_scale) and a ceiling (max_scale); PyTorch's can fall to 0, from where it never
//   returns;
//   - an optimizer without gradients takes a clean step instead of an error;
//   - step() without unscale() leaves the gradients scaled and lets the optimizer kernel multiply by 1 / scale;
//   - step() tells, without waiting, whether it was applied; found_inf of any value but 0 skips;
//   - optional hysteresis: that many overflows must gather before the scale backs off (Megatron-LM's rule).
#pragma once

#include <cfloat>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "amphora/amp/gradient_owner.h"
#include "amphora/core/place.h"
#include "amphora/device/device.h"
#include "amphora/plan/tracked.h"
#include "amphora/tensor/state.h"
#include "amphora/tensor/tensor.h"

namespace amphora::amp {

struct GradScalerOptions {
  float init_scale = 65536.0f;
  float growth_factor = 2.0f;
  float backoff_factor = 0.5f;
  int growth_interval = 2000;  // clean steps before the scale grows; 0: never
  // Below the smallest normal number 1 / scale would overflow. 0 lets the scale collapse as PyTorch's may.
  float min_scale = FLT_MIN;
  float max_scale = FLT_MAX;
  int hysteresis = 1;
  bool dynamic = true;  // false: the scale stays init_scale; steps with overflow are still skipped
  bool enabled = true;  // false: every call passes through, step() is optimizer.step()
};

// Whether a step was applied; known on the host some time after the step was queued.
class StepOutcome {
 public:
  StepOutcome() = default;  // of a step that cannot be skipped
  explicit StepOutcome(std::shared_ptr<Readback> found_inf) : found_inf_(std::move(found_inf)) {}
  bool ready() const { return found_inf_ == nullptr || found_inf_->ready(); }
  // Waits while ready() is false. Throws StateError for the outcome of a step that was captured, not run; ScalerState
  // counts the skipped ones.
  bool applied() const;
  static StepOutcome captured();

 private:
  std::shared_ptr<Readback> found_inf_;
  bool captured_ = false;
};

class GradScaler {
 public:
  // Throws Error for a factor, scale, interval or bound out of range (when enabled): growth_factor > 1,
  // 0 < backoff_factor < 1, 0 <= min_scale <= init_scale <= max_scale, init_scale finite and positive.
  explicit GradScaler(const GradScalerOptions& options = {});

  // loss * scale in f32, on the tape. The first call creates the state on the loss's device.
  Tensor scale(const Tensor& loss);
  std::vector<Tensor> scale(const std::vector<Tensor>& losses);

  // Multiplies the optimizer's gradients by 1 / scale and records whether one is not finite. Once for each update().
  // Throws StateError when called twice, after step(), or before scale().
  void unscale(GradientOwner& optimizer);

  // Queues the optimizer's step; unscales on the way unless unscale() did.
  // Throws StateError when called twice between updates, or before scale().
  StepOutcome step(GradientOwner& optimizer);

  // Once an iteration, after all optimizers' steps. Throws StateError when none was unscaled or stepped since the last.
  void update();
  // Sets the scale by hand; the growth tracker stays. Throws Error unless finite and positive.
  void update(float new_scale);

  bool is_enabled() const { return options_.enabled; }
  const GradScalerOptions& options() const { return options_; }
  void set_growth_factor(float factor);
  void set_backoff_factor(float factor);
  void set_growth_interval(int interval);

  // Waits. init_scale before the first scale(); 1 when disabled.
  float scale_value(CodeLine where = CodeLine::current()) const;
  // A copy of the device's ScalerState that is under way; null before the first scale() and when disabled.
  std::unique_ptr<Readback> read_state() const;

  // The state by name, as PyTorch names it (scale, growth_factor, backoff_factor, growth_interval, _growth_tracker),
  // and amphora's own (min_scale, max_scale, hysteresis, hysteresis_tracker, updates, skipped); nothing when disabled.
  // A visitor that restores may leave what it does not know as it is. Waits. Throws StateError between unscale() or
  // step() and update(), and Error for a restored value out of range, which changes nothing.
  void visit_state(StateVisitor& visitor);
  // The same as numbers by name, for a look at them.
  std::map<std::string, double> state();

 private:
  enum class Stage { ready, unscaled, stepped };
  struct Record {
    plan::Tracked<Stage> stage = Stage::ready;
    Tensor stats;  // one GradientStats
  };

  void validate() const;
  // Checks first, so that a refused value changes nothing.
  void change(const GradScalerOptions& options);
  void require_started(const char* call) const;
  Record& record_of(GradientOwner& optimizer);
  void gather_stats(KernelId kernel, GradientOwner& optimizer, Record& record);
  ScalerState read(CodeLine where) const;
  void write(const ScalerState& state);

  GradScalerOptions options_;
  plan::Tracked<int> options_version_ = 0;  // grows with each change, after which a recorded update is out of date
  ScalerState initial_;                     // what the first scale() writes to the device
  Tensor state_;                            // ScalerState as i32 words; undefined before the first scale()
  std::unordered_map<const GradientOwner*, Record> records_;
};

}  // namespace amphora::amp
