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
// (plan/plan.h), which the device compiles, and runs. Where both captures are equal, all further steps replay the plan:
// nothing is allocated and the host never waits. Where they differ, the host had a say in the step - a counter, a
// number that changes - and it stays eager; a message names the first call that differs.
//
// What changes later is looked for, too: the body is captured again before some of the replays (Verify), which takes
// the host's time alone. Where it differs then, the step runs what it says now, and is eager from then on. Between two
// such checks the body does not run, so a counter of its own counts captures, not steps.
//
// What must change from step to step comes from outside the body: batches; the learning rate, through
// Optimizer::follow(); the masks of nn::Dropout. There is a plan for each shape of the batch, each mode (such as the
// first and the last batch of an accumulated step), and each variant that the host's state asks for: frozen parameters,
// evaluation, stale working copies.
//
// AMPHORA_EAGER=1 runs each step eagerly, and so does AMPHORA_CHECK=1, which looks at the values of each call.
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
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

// How often a replayed step is captured again, to see that the body would still do the same.
enum class Verify : std::uint8_t {
  never,
  regularly,  // each of a plan's first 32 replays, those numbered by a power of two, every 256th, and as many as take
              // 1 % of the time
  always      // each replay; AMPHORA_VERIFY=1 does so for all steps
};

struct StepOptions {
  const amp::GradScaler* scaler = nullptr;  // whose state each result tells
  bool eager = false;                       // run each step eagerly; AMPHORA_EAGER=1 does so for all
  plan::PassOptions passes = {};            // the default keeps all bits
  std::shared_ptr<StepArena> arena = {};    // of a trainer with several steps; empty: the step has its own
  Verify verify = Verify::regularly;
  std::size_t max_plans = 32;  // the plan that was used least recently makes room for another one
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
  // The tensors of a step's results, the loss first.
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

  struct Recording;  // what a capture gives

  void make_key(std::span<const Tensor> inputs, std::span<const std::int64_t> mode);
  Variant* find_variant();
  StepResult run_eagerly(std::span<const Tensor> inputs, const Body& body) const;
  StepResult first_run(std::span<const Tensor> inputs, const Body& body);
  StepResult captured_run(Variant& variant, std::span<const Tensor> inputs, const Body& body);
  Recording record(const Variant& variant, std::span<const Tensor> inputs, const Body& body);
  // Makes the recording what the variant replays.
  void adopt(Variant& variant, Recording recording);
  bool is_due(const Variant& variant) const;
  // Why the plan must not run on these inputs; empty where it may.
  std::string conflict_of(const Variant& variant, std::span<const Tensor> inputs) const;
  // Says why steps stay eager, the first time.
  void give_reason(std::string reason);
  StepResult replay(Variant& variant, std::span<const Tensor> inputs);
  CompiledStep& compiled_for(Variant& variant, std::span<const Tensor> inputs);
  std::unique_ptr<CompiledStep> compile(const Variant& variant, std::span<const Tensor> inputs);
  void make_staging_inputs(Variant& variant, std::span<const Tensor> inputs);
  void forget(const Variant& variant);

  Device& device_;
  StepOptions options_;
  Verify verify_;
  bool eager_;
  std::int64_t steps_ = 0;
  std::string reason_;
  int new_courses_ = 0;  // of the latest steps, one after the other
  using Clock = std::chrono::steady_clock;
  Clock::time_point first_replay_{};
  Clock::duration verifying_{};  // all of it so far
  std::shared_ptr<StepArena> arena_;
  BufferPtr capture_feed_;         // stands for feeds while a step is captured
  std::vector<std::int64_t> key_;  // of the step at hand
  std::vector<std::unique_ptr<Variant>> variants_;
};

namespace detail {

// The types of a body's arguments, as a tuple; empty where it has none that can be told.
template <class F>
struct Signature {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const> {
  using Arguments = std::tuple<std::remove_cvref_t<A>...>;
};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (C::*)(A...) const> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (C::*)(A...) const> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (C::*)(A...) const> {};

template <class F>
concept HasSignature = requires {
  &F::operator();
};
template <class F>
struct ArgumentsOf {
  using Type = void;
};
template <HasSignature F>
struct ArgumentsOf<F> {
  using Type = typename Signature<decltype(&F::operator())>::Arguments;
};
template <class R, class... A>
struct ArgumentsOf<R (*)(A...)> {
  using Type = std::tuple<std::remove_cvref_t<A>...>;
};

template <class T>
concept HasMode = requires(const T& value) {
  value.mode();
};
// The size of the tensors that a structure shows; of no limit where tensors() gives something else than std::tie() of
// them.
template <class T>
inline constexpr std::size_t kTiedBytes = static_cast<std::size_t>(-1);
template <class... T>
inline constexpr std::size_t kTiedBytes<std::tuple<T&...>> = (sizeof(T) + ... + 0);
// Whether a structure holds more than the tensors that it shows.
template <class T>
inline constexpr bool kHoldsMore = false;
template <amphora::detail::HasTensors T>
inline constexpr bool kHoldsMore<T> = (sizeof(T) > kTiedBytes<decltype(std::declval<T&>().tensors())>);

// What of an argument is no tensor: its mode(), numbers and how many parts it has.
template <class T>
void append_mode(const T& value, std::vector<std::int64_t>& mode) {
  static_assert(HasMode<T> || !kHoldsMore<T>,
                "this batch has members beside its tensors, which a recorded step would not see change: give it "
                "`auto mode() const`, which returns what the body depends on as std::array<std::int64_t, N> (of size 0 "
                "where it depends on none)");
  if constexpr (HasMode<T>) {
    for (const std::int64_t number : value.mode()) mode.push_back(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    mode.push_back(std::bit_cast<std::int64_t>(static_cast<double>(value)));
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    mode.push_back(static_cast<std::int64_t>(value));
  } else if constexpr (amphora::detail::HasTensors<T> || std::is_same_v<T, Tensor>) {
    return;
  } else if constexpr (amphora::detail::TupleLike<T>) {
    std::apply([&mode](const auto&... parts) { (append_mode(parts, mode), ...); }, value);
  } else if constexpr (amphora::detail::kIsOptional<T>) {
    mode.push_back(value.has_value() ? 1 : 0);
    if (value) append_mode(*value, mode);
  } else if constexpr (std::ranges::range<T>) {
    for (const auto& part : value) append_mode(part, mode);
  }
}

inline std::vector<Tensor> results_of(const Tensor& loss) { return {loss}; }
inline std::vector<Tensor> results_of(std::vector<Tensor> results) { return results; }

}  // namespace detail

// The arguments are whatever each_tensor() finds tensors in: a tensor, a std::vector of them, a pair, a structure with
// `tensors()`; and numbers, each value of which is a step of its own kind. Where the body depends on other members of a
// structure, too, that has `mode()`, which gives them as an array of std::int64_t.
template <class Function, class Arguments>
class Step {
  static_assert(!std::is_void_v<Arguments>,
                "the body of a step is a function object with one operator(), whose argument types are written out: "
                "[&](const Batch& batch) { ...; return loss; }, not [&](const auto& batch)");
};

template <class Function, class... Arguments>
class Step<Function, std::tuple<Arguments...>> : public StepRunner {
  static_assert(
      (kShowsTensors<Arguments> && ...),
      "an argument of the body shows no tensors: give its type a member tensors() that gives std::tie() of them");

 public:
  // `body` returns a tensor, such as the loss, or a vector of them. The device, and all that the body refers to, must
  // outlive the step.
  Step(Device& device, Function body, const StepOptions& options = {})
      : StepRunner(device, options), body_(std::move(body)) {
    static_assert(
        requires { detail::results_of(body_(std::declval<const Arguments&>()...)); },
        "the body of a step takes its arguments by value or as const&, and returns a Tensor or a "
        "std::vector<Tensor>");
  }

  // Waits for nothing. Throws what the body throws, after which all is as before where the step was being captured;
  // StateError where a captured body asks for a number that is on the device, naming the op and the place in the
  // program.
  StepResult operator()(const Arguments&... arguments) {
    inputs_.clear();
    mode_.clear();
    (each_tensor(arguments, [this](const Tensor& tensor) { inputs_.push_back(tensor); }), ...);
    (detail::append_mode(arguments, mode_), ...);
    const auto body = [&](std::span<const Tensor> inputs) {
      std::tuple<Arguments...> given(arguments...);
      std::size_t index = 0;
      each_tensor(given, [&](Tensor& tensor) { tensor = inputs[index++]; });
      return detail::results_of(std::apply(body_, std::as_const(given)));
    };
    const StepResult result = run(inputs_, mode_, std::cref(body));
    inputs_.clear();
    return result;
  }

 private:
  Function body_;
  std::vector<Tensor> inputs_;
  std::vector<std::int64_t> mode_;
};

template <class Function>
Step(Device&, Function) -> Step<Function, typename detail::ArgumentsOf<Function>::Type>;
template <class Function>
Step(Device&, Function, StepOptions) -> Step<Function, typename detail::ArgumentsOf<Function>::Type>;

}  // namespace amphora::train
