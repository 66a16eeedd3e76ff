// Step: a training step that is recorded once and replayed.
//
//   train::Step step(device, [&](const Batch& batch) {
//     ...
//     scaler.scale(loss).backward();
//     scaler.step(optimizer);
//     scaler.update();
//     optimizer.zero_grad();
//     return loss;
//   });
//   for (const Batch& batch : loader.epoch(0)) log(step(batch));
//
// A step runs eagerly the first time; the second and the third time it is captured: its kernel calls become a plan
// (src/plan), which the device compiles, and runs. Where both captures are equal, all further steps replay the plan:
// the body does not run any more, nothing is allocated and nobody waits. Where they differ, the host had a say in the
// step - a counter, a number that changes - and it stays eager; a message names the first call that differs.
//
// What must change from step to step comes from outside the body: batches; the learning rate, through
// Optimizer::follow(); the masks of nn::Dropout. There is a plan for each shape of the batch, each mode (such as the
// first and the last batch of an accumulated step), and each variant that the host's state asks for: frozen parameters,
// evaluation, stale working copies.
//
// AMPHORA_EAGER=1 runs each step eagerly, and so does AMPHORA_CHECK=1, which looks at the values of each call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "amphora/amp/grad_scaler.h"
#include "amphora/device/device.h"
#include "amphora/plan/memory.h"
#include "amphora/plan/passes/passes.h"
#include "amphora/plan/plan.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/each_tensor.h"
#include "amphora/tensor/tensor.h"
#include "amphora/train/step_result.h"

namespace amphora::train {

// The memory of transient values. Steps that share it take turns in it: as large as the largest of their plans.
struct StepArena {
  BufferPtr memory;
};

struct StepOptions {
  const amp::GradScaler* scaler = nullptr;  // whose state each result tells
  bool eager = false;                       // run each step eagerly; AMPHORA_EAGER=1 does so for all
  plan::PassOptions passes = {};            // the default keeps all bits
  std::shared_ptr<StepArena> arena = {};    // of a trainer with several steps; empty: the step has its own
};

// A recorded step, for reports.
struct StepPlan {
  std::string mode;
  const plan::Plan* plan;  // after its passes
  const plan::MemoryPlan* memory;
  const std::vector<plan::PassReport>* passes;
  const Executable* executable;  // for one of the batches that take turns
};

// All of a Step that does not depend on the type of its batches.
class StepRunner {
 public:
  // The tensors of a step's results; scalars, the loss first.
  using Body = std::function<std::vector<Tensor>(std::span<const Tensor> inputs)>;

  StepRunner(Device& device, const StepOptions& options);
  StepRunner(const StepRunner&) = delete;
  StepRunner& operator=(const StepRunner&) = delete;
  ~StepRunner();

  // The recorded steps that are replayed by now.
  std::vector<StepPlan> plans() const;
  // Why steps stay eager; empty where none does.
  const std::string& reason_against_replay() const { return reason_; }
  std::size_t arena_bytes() const { return arena_->memory == nullptr ? 0 : arena_->memory->bytes(); }

 protected:
  // `mode` tells apart steps that the body treats differently by numbers of the host's.
  StepResult run(std::span<const Tensor> inputs, std::span<const std::int64_t> mode, const Body& body);

 private:
  struct Variant;       // one way through the body: a plan, and what it assumes
  struct CompiledStep;  // a variant compiled for certain inputs

  void make_key(std::span<const Tensor> inputs, std::span<const std::int64_t> mode);
  Variant* find_variant();
  StepResult run_eagerly(std::span<const Tensor> inputs, const Body& body) const;
  StepResult first_run(std::span<const Tensor> inputs, const Body& body);
  plan::Plan capture(Variant& variant, std::span<const Tensor> inputs, const Body& body);
  void confirm(Variant& variant, std::span<const Tensor> inputs, const Body& body);
  StepResult replay(Variant& variant, std::span<const Tensor> inputs);
  CompiledStep& compiled_for(Variant& variant, std::span<const Tensor> inputs);
  std::unique_ptr<CompiledStep> compile(const Variant& variant, std::span<const Tensor> inputs);
  void make_staging_inputs(Variant& variant, std::span<const Tensor> inputs);
  void forget(const Variant& variant);

  Device& device_;
  StepOptions options_;
  bool eager_;
  std::int64_t steps_ = 0;
  std::string reason_;
  std::shared_ptr<StepArena> arena_;
  BufferPtr capture_feed_;         // stands for feeds while a step is captured
  std::vector<std::int64_t> key_;  // of the step at hand
  std::vector<std::unique_ptr<Variant>> variants_;
};

namespace detail {

template <class F>
struct Argument : Argument<decltype(&F::operator())> {};
template <class R, class C, class A>
struct Argument<R (C::*)(A) const> {
  using Type = std::remove_cvref_t<A>;
};
template <class R, class C, class A>
struct Argument<R (C::*)(A)> {
  using Type = std::remove_cvref_t<A>;
};

inline std::vector<Tensor> results_of(const Tensor& loss) { return {loss}; }
inline std::vector<Tensor> results_of(std::vector<Tensor> results) { return results; }

}  // namespace detail

// A batch is whatever each_tensor() finds tensors in: a tensor, a std::vector of them, a structure with `tensors()`.
// Where the body depends on numbers of the batch's, too, it has `mode()`, which gives them as an array of std::int64_t.
template <class Batch, class Function>
class Step : public StepRunner {
 public:
  // `body` takes a batch, and returns the loss or a vector of tensors with one element each. The device, and all that
  // the body refers to, must outlive the step.
  Step(Device& device, Function body, const StepOptions& options = {})
      : StepRunner(device, options), body_(std::move(body)) {}

  // Waits for nothing. Throws what the body throws; StateError where a captured body asks for a number that is on the
  // device, naming the op and the place in the program.
  StepResult operator()(const Batch& batch) {
    inputs_.clear();
    each_tensor(batch, [this](const Tensor& tensor) { inputs_.push_back(tensor); });
    const auto body = [this, &batch](std::span<const Tensor> inputs) {
      Batch given = batch;
      std::size_t index = 0;
      each_tensor(given, [&](Tensor& tensor) { tensor = inputs[index++]; });
      return detail::results_of(body_(std::as_const(given)));
    };
    StepResult result;
    if constexpr (requires { batch.mode(); }) {
      result = run(inputs_, batch.mode(), body);
    } else {
      result = run(inputs_, {}, body);
    }
    inputs_.clear();
    return result;
  }

 private:
  Function body_;
  std::vector<Tensor> inputs_;
};

template <class Function>
Step(Device&, Function) -> Step<typename detail::Argument<Function>::Type, Function>;
template <class Function>
Step(Device&, Function, StepOptions) -> Step<typename detail::Argument<Function>::Type, Function>;

}  // namespace amphora::train
