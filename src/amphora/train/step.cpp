#include "amphora/train/step.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <utility>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/core/context.h"
#include "amphora/core/environment.h"
#include "amphora/core/error.h"
#include "amphora/kernel/operands.h"
#include "amphora/tensor/launch.h"

namespace amphora::train {

namespace {

constexpr std::size_t kFeedBytes = std::size_t{16} << 10;
// Batches that arrive in more buffers than this are copied into one that stays.
constexpr std::size_t kMaxCompiled = 4;
// Steps that all take another course than those before, after which it is said that nothing is recorded.
constexpr int kManyCourses = 16;
// When a replay is verified, see Verify.
constexpr std::int64_t kFirstVerified = 32;
constexpr std::int64_t kVerifiedEvery = 256;
constexpr int kVerifiedShare = 100;  // one part in so many of the time

// Whether a plan may use the tensor's memory as it is: all of its buffer.
bool fills_its_buffer(const Tensor& tensor) {
  return tensor.offset() == 0 && tensor.is_contiguous() &&
         tensor.buffer()->bytes() == static_cast<std::size_t>(tensor.count()) * size_of(tensor.dtype());
}

std::string describe_mode(std::span<const Tensor> inputs) {
  std::string text;
  for (const Tensor& input : inputs) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_of(input.dtype()), input.shape());
  }
  return text;
}

}  // namespace

struct StepRunner::CompiledStep {
  std::vector<std::weak_ptr<Buffer>> inputs;  // they belong to the loader
  BufferPtr arena;                            // that it was compiled for; a step that shares it may have made it larger
  BufferPtr feed;
  std::vector<std::byte> feed_bytes;
  std::unique_ptr<Executable> executable;

  bool takes(std::span<const Tensor> given) const {
    return std::equal(inputs.begin(), inputs.end(), given.begin(), given.end(), [](const auto& weak, const Tensor& t) {
      return !weak.owner_before(t.buffer()) && !t.buffer().owner_before(weak);
    });
  }
  bool is_stale() const {
    return std::any_of(inputs.begin(), inputs.end(), [](const auto& weak) { return weak.expired(); });
  }
};

struct StepRunner::Variant {
  enum class Stage : std::uint8_t { seen, captured, confirmed, eager };

  std::vector<std::int64_t> key;
  std::string mode;
  std::size_t input_count = 0;
  Stage stage = Stage::seen;
  std::int64_t last_used = 0;
  plan::HostState state;
  plan::Plan captured;  // as it was recorded, which later captures are compared with
  plan::Plan plan;
  plan::MemoryPlan memory;
  std::vector<plan::PassReport> passes;
  std::vector<Tensor> results;
  std::vector<BufferPtr> allocated;    // by the recording, as far as it is kept
  std::vector<const Buffer*> kept;     // that the plan names
  std::vector<const Buffer*> written;  // those of them that it writes
  std::vector<bool> writes_input;      // whether it writes into an input
  std::int64_t replays = 0;
  std::int64_t unverified = 0;         // of them, since the last check
  std::vector<Tensor> staging_inputs;  // where inputs are copied to; empty while they are used where they are
  std::vector<std::unique_ptr<CompiledStep>> compiled;
  std::size_t compiled_count = 0;  // compiled so far
  std::vector<std::shared_ptr<StepResult::PendingResult>>
      ring;  // results on their way; free once the results are released

  void note_writes(std::size_t inputs);

  bool holds() const {
    // The first run may have made what later ones find, such as working copies.
    if (stage != Stage::seen) return state.holds();
    return std::all_of(state.guards.begin(), state.guards.end(), [](const auto& g) { return *g.cell == g.value; });
  }
};

void StepRunner::Variant::note_writes(std::size_t inputs) {
  kept.clear();
  written.clear();
  writes_input.assign(inputs, false);
  for (const plan::Value& value : plan.values) {
    if (value.role == plan::Role::kept) kept.push_back(value.buffer.get());
  }
  for (const plan::PlannedCall& planned : plan.calls) {
    for (int i = 0; i < planned.call.buffer_count; ++i) {
      const int index = planned.values[static_cast<std::size_t>(i)];
      if (index == plan::kNoValue || !is_written(planned.call, i)) continue;
      const plan::Value& value = plan.values[static_cast<std::size_t>(index)];
      if (value.role == plan::Role::input) writes_input[static_cast<std::size_t>(value.input)] = true;
      if (value.role == plan::Role::kept) written.push_back(value.buffer.get());
    }
  }
}

struct StepRunner::Recording {
  plan::Plan plan;  // before its passes
  plan::HostState state;
  std::vector<BufferPtr> allocated;
  std::vector<Tensor> results;
};

StepRunner::StepRunner(Device& device, const StepOptions& options)
    : device_(device),
      options_(options),
      verify_(environment_flag("AMPHORA_VERIFY", false) ? Verify::always : options.verify),
      eager_(options.eager || environment_flag("AMPHORA_EAGER", false) || device.checks_values()),
      arena_(options.arena != nullptr ? options.arena : std::make_shared<StepArena>()) {}

StepRunner::~StepRunner() = default;

std::vector<StepPlan> StepRunner::plans() const {
  std::vector<StepPlan> result;
  for (const auto& variant : variants_) {
    if (variant->stage != Variant::Stage::confirmed || variant->compiled.empty()) continue;
    result.push_back({variant->mode, &variant->plan, &variant->memory, &variant->passes,
                      variant->compiled.front()->executable.get()});
  }
  return result;
}

void StepRunner::make_key(std::span<const Tensor> inputs, std::span<const std::int64_t> mode) {
  key_.clear();
  for (const Tensor& input : inputs) {
    key_.push_back(static_cast<std::int64_t>(input.dtype()));
    key_.push_back(input.rank());
    for (int axis = 0; axis < input.rank(); ++axis) key_.push_back(input.size(axis));
  }
  const amp::Region& region = amp::current_region();
  key_.push_back(region.active ? static_cast<std::int64_t>(*region.active) : -1);
  key_.push_back(static_cast<std::int64_t>(region.precision));
  for (const auto& [op, rule] : region.overrides) {
    key_.push_back(static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(op)));
    key_.push_back(static_cast<std::int64_t>(rule));
  }
  key_.push_back(autograd::grad_enabled() ? 1 : 0);
  key_.insert(key_.end(), mode.begin(), mode.end());
}

StepRunner::Variant* StepRunner::find_variant() {
  for (const auto& variant : variants_) {
    if (variant->key == key_ && variant->holds()) return variant.get();
  }
  return nullptr;
}

StepResult StepRunner::run(std::span<const Tensor> inputs, std::span<const std::int64_t> mode, const Body& body) {
  const Scoped counted(context().place.step, steps_++);
  if (eager_) {
    variants_.clear();  // no plan is needed any more
    return run_eagerly(inputs, body);
  }
  make_key(inputs, mode);
  Variant* variant = find_variant();
  if (variant == nullptr) return first_run(inputs, body);
  new_courses_ = 0;
  variant->last_used = steps_;
  if (variant->stage != Variant::Stage::seen) {
    if (std::string conflict = conflict_of(*variant, inputs); !conflict.empty()) {
      give_reason(std::move(conflict));
      return run_eagerly(inputs, body);
    }
  }
  if (variant->stage == Variant::Stage::confirmed && !is_due(*variant)) {
    ++variant->unverified;
    return replay(*variant, inputs);
  }
  return captured_run(*variant, inputs, body);
}

StepResult StepRunner::run_eagerly(std::span<const Tensor> inputs, const Body& body) const {
  const std::vector<Tensor> results = body(inputs);
  return StepResult(std::make_shared<StepResult::PendingResult>(results, options_.scaler, false));
}

StepResult StepRunner::first_run(std::span<const Tensor> inputs, const Body& body) {
  auto variant = std::make_unique<Variant>();
  variant->key = key_;
  variant->mode = describe_mode(inputs);
  variant->input_count = inputs.size();
  variant->last_used = steps_;
  StepResult result;
  {
    plan::Recorder recorder(device_, plan::Recorder::Mode::observe);
    result = run_eagerly(inputs, body);
    variant->state = recorder.finish().state;
  }
  if (++new_courses_ == kManyCourses) {
    give_reason(
        fmt::format("each of the last {} steps took another course, so none of them was recorded: shapes, the "
                    "batch's mode or what the host keeps (which gradients are defined, say) differ each time",
                    new_courses_));
  }
  if (variants_.size() >= std::max<std::size_t>(options_.max_plans, 1)) {
    give_reason(
        fmt::format("the step takes more than {} courses, so those that were used least recently are recorded "
                    "anew each time; StepOptions::max_plans allows for more",
                    variants_.size()));
    const auto oldest = std::min_element(variants_.begin(), variants_.end(),
                                         [](const auto& a, const auto& b) { return a->last_used < b->last_used; });
    variants_.erase(oldest);
  }
  variants_.push_back(std::move(variant));
  return result;
}

StepRunner::Recording StepRunner::record(const Variant& variant, std::span<const Tensor> inputs, const Body& body) {
  // The body is given other memory than the batch's: what it reads of that by another handle is no input.
  std::vector<Tensor> given;
  std::vector<BufferPtr> buffers;
  for (const Tensor& input : inputs) {
    given.push_back(Tensor::empty(device_, input.shape(), input.dtype(), MemoryKind::inputs));
    buffers.push_back(given.back().buffer());
  }
  if (capture_feed_ == nullptr) capture_feed_ = device_.allocate(kFeedBytes, MemoryKind::inputs);
  Recording recording;
  plan::Recorder recorder(device_, plan::Recorder::Mode::capture, buffers, capture_feed_, variant.allocated);
  recording.results = body(given);
  for (Tensor& result : recording.results) {
    result = result.detach();  // off the tape, which keeps memory alive
    if (std::find(buffers.begin(), buffers.end(), result.buffer()) == buffers.end()) continue;
    // A part of the batch, which is another one the next time.
    const Tensor copy = Tensor::empty(device_, result.shape(), result.dtype());
    launch_copy(result, copy);
    result = copy;
  }
  auto [plan, state, allocated] = recorder.finish();
  recording.plan = std::move(plan);
  recording.state = std::move(state);
  recording.allocated = std::move(allocated);
  return recording;
}

void StepRunner::adopt(Variant& variant, Recording recording) {
  const auto path_of = [this](KernelId kernel, const Spec& spec) {
    const Support support = device_.supports(kernel, spec);
    return support.supported ? support.path : std::string();
  };
  auto [optimized, passes] = plan::optimize(recording.plan, options_.passes, path_of);
  variant.plan = std::move(optimized);
  variant.passes = std::move(passes);
  variant.memory = plan::plan_memory(variant.plan);
  variant.captured = std::move(recording.plan);
  variant.results = std::move(recording.results);
  variant.allocated = std::move(recording.allocated);
  variant.note_writes(variant.input_count);
  variant.compiled.clear();
  variant.compiled_count = 0;
  variant.ring.clear();
}

// A step whose body runs, but whose calls are replayed: the first two captures, and each check of a known plan.
StepResult StepRunner::captured_run(Variant& variant, std::span<const Tensor> inputs, const Body& body) {
  const auto start = Clock::now();
  const bool verifies = variant.stage == Variant::Stage::confirmed;
  plan::HostState state;
  try {
    Recording recording;
    try {
      recording = record(variant, inputs, body);
    } catch (const OutOfMemory&) {
      if (!verifies) throw;
      ++variant.unverified;
      return replay(variant, inputs);  // a check needs more memory than a replay
    }
    state = recording.state;
    variant.state = recording.state;
    if (variant.stage == Variant::Stage::seen) {
      adopt(variant, std::move(recording));
      variant.stage = Variant::Stage::captured;
    } else if (plan::same(variant.captured, recording.plan)) {
      variant.stage = Variant::Stage::confirmed;
      variant.unverified = 0;
    } else {
      const std::string difference = plan::first_difference(variant.captured, recording.plan);
      const std::string stale = variant.unverified == 0
                                    ? std::string()
                                    : fmt::format("; {} step{} since the last check may have run what it was before",
                                                  variant.unverified, variant.unverified == 1 ? "" : "s");
      give_reason(fmt::format(
          "step {} ({}) is not the same each time, so no step is recorded from now on: {}{}. A number of the "
          "host's is in it; give it from outside the step",
          steps_, variant.mode, difference, stale));
      eager_ = true;
      variant.stage = Variant::Stage::eager;
      // The body has run, so this step is what it said now.
      adopt(variant, std::move(recording));
    }
    if (std::string conflict = conflict_of(variant, inputs); !conflict.empty()) {
      give_reason(std::move(conflict));
      std::exchange(state, {}).roll_back();
      return run_eagerly(inputs, body);
    }
    if (verifies) verifying_ += Clock::now() - start;
    return replay(variant, inputs);
  } catch (...) {
    state.roll_back();
    forget(variant);
    throw;
  }
}

bool StepRunner::is_due(const Variant& variant) const {
  if (verify_ != Verify::regularly) return verify_ == Verify::always;
  const std::int64_t number = variant.replays + 1;
  if (number <= kFirstVerified || number % kVerifiedEvery == 0 ||
      std::has_single_bit(static_cast<std::uint64_t>(number)))
    return true;
  return verifying_ * kVerifiedShare < Clock::now() - first_replay_;
}

std::string StepRunner::conflict_of(const Variant& variant, std::span<const Tensor> inputs) const {
  const auto has = [](const std::vector<const Buffer*>& all, const Tensor& tensor) {
    return std::find(all.begin(), all.end(), tensor.buffer().get()) != all.end();
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    bool meets = has(variant.written, inputs[i]);
    if (variant.writes_input[i]) {
      meets = meets || has(variant.kept, inputs[i]);
      for (std::size_t j = 0; j < inputs.size(); ++j)
        meets = meets || (j != i && inputs[j].buffer() == inputs[i].buffer());
    }
    if (meets) {
      return fmt::format(
          "step {} writes memory that input {} of its batch shares with another tensor of the step, so batches of this "
          "kind are not replayed",
          variant.mode, i);
    }
  }
  return {};
}

void StepRunner::give_reason(std::string reason) {
  if (!reason_.empty()) return;
  reason_ = std::move(reason);
  std::fputs(fmt::format("amphora: {}\n", reason_).c_str(), stderr);
}

StepResult StepRunner::replay(Variant& variant, std::span<const Tensor> inputs) {
  CompiledStep& compiled_step = compiled_for(variant, inputs);
  for (const plan::Feed& feed : variant.plan.feeds) {
    feed.write(std::span(compiled_step.feed_bytes).subspan(feed.offset, feed.bytes));
  }
  if (compiled_step.feed != nullptr) device_.upload(*compiled_step.feed, 0, compiled_step.feed_bytes);
  device_.submit(*compiled_step.executable);
  variant.state.apply();
  if (!variant.staging_inputs.empty()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (variant.writes_input[i]) launch_copy(variant.staging_inputs[i], inputs[i]);
    }
  }
  if (variant.replays++ == 0 && first_replay_ == Clock::time_point()) first_replay_ = Clock::now();
  for (const auto& pending : variant.ring) {
    if (pending.use_count() > 1) continue;
    pending->restart();
    return StepResult(pending);
  }
  variant.ring.push_back(std::make_shared<StepResult::PendingResult>(variant.results, options_.scaler, true));
  return StepResult(variant.ring.back());
}

StepRunner::CompiledStep& StepRunner::compiled_for(Variant& variant, std::span<const Tensor> inputs) {
  if (variant.staging_inputs.empty()) {
    for (const auto& compiled_step : variant.compiled) {
      if (compiled_step->takes(inputs) && compiled_step->arena == arena_->memory) return *compiled_step;
    }
  }
  variant.compiled_count -= std::erase_if(
      variant.compiled, [this](const auto& compiled_step) { return compiled_step->arena != arena_->memory; });
  std::erase_if(variant.compiled, [](const auto& compiled_step) { return compiled_step->is_stale(); });
  if (variant.staging_inputs.empty()) {
    if (variant.compiled_count >= kMaxCompiled || !std::all_of(inputs.begin(), inputs.end(), fills_its_buffer)) {
      make_staging_inputs(variant, inputs);
      variant.compiled.clear();
    }
  }
  if (!variant.staging_inputs.empty()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) launch_copy(inputs[i], variant.staging_inputs[i]);
    inputs = variant.staging_inputs;
    if (!variant.compiled.empty()) return *variant.compiled.front();
  }
  variant.compiled.push_back(compile(variant, inputs));
  ++variant.compiled_count;
  return *variant.compiled.back();
}

void StepRunner::make_staging_inputs(Variant& variant, std::span<const Tensor> inputs) {
  if (!variant.staging_inputs.empty()) return;
  for (const Tensor& input : inputs) {
    variant.staging_inputs.push_back(Tensor::empty(device_, input.shape(), input.dtype(), MemoryKind::inputs));
  }
}

std::unique_ptr<StepRunner::CompiledStep> StepRunner::compile(const Variant& variant, std::span<const Tensor> inputs) {
  if (arena_bytes() < variant.memory.bytes) {
    for (const auto& other : variants_) {
      other->compiled_count -= other->compiled.size();
      other->compiled.clear();  // they name the old memory
    }
    arena_->memory.reset();
    arena_->memory = device_.allocate(variant.memory.bytes, MemoryKind::activations);
  }
  auto compiled_step = std::make_unique<CompiledStep>();
  compiled_step->arena = arena_->memory;
  if (variant.plan.feed_bytes > 0) {
    compiled_step->feed_bytes.resize(variant.plan.feed_bytes);
    compiled_step->feed = device_.allocate(variant.plan.feed_bytes, MemoryKind::inputs);
  }
  std::vector<Buffer*> buffers;
  for (const Tensor& input : inputs) {
    buffers.push_back(input.buffer().get());
    compiled_step->inputs.push_back(input.buffer());
  }
  compiled_step->executable = device_.compile(
      plan::bind(variant.plan, variant.memory, arena_->memory.get(), buffers, compiled_step->feed.get()));
  return compiled_step;
}

void StepRunner::forget(const Variant& variant) {
  std::erase_if(variants_, [&variant](const auto& known) { return known.get() == &variant; });
}

}  // namespace amphora::train
