#include "amphora/train/step.h"

#include <algorithm>
#include <cstdio>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/core/context.h"
#include "amphora/core/environment.h"
#include "amphora/core/error.h"
#include "amphora/tensor/launch.h"

namespace amphora::train {

namespace {

constexpr std::size_t kFeedBytes = std::size_t{16} << 10;
// Batches that arrive in more buffers than this are copied into one that stays.
constexpr std::size_t kMaxCompiled = 4;
constexpr std::size_t kMaxVariants = 32;

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
  Stage stage = Stage::seen;
  std::int64_t last_used = 0;
  plan::HostState state;
  plan::Plan captured;  // as it was recorded, until another capture has confirmed it
  plan::Plan plan;
  plan::MemoryPlan memory;
  std::vector<plan::PassReport> passes;
  std::vector<Tensor> results;
  std::vector<Tensor> staging_inputs;  // where inputs are copied to; empty while they are used where they are
  std::vector<std::unique_ptr<CompiledStep>> compiled;
  std::size_t compiled_count = 0;  // compiled so far
  std::vector<std::shared_ptr<StepResult::PendingResult>>
      ring;  // results on their way; free once the results are released

  bool holds() const {
    // The first run may have made what later ones find, such as working copies.
    if (stage != Stage::seen) return state.holds();
    return std::all_of(state.guards.begin(), state.guards.end(), [](const auto& g) { return *g.cell == g.value; });
  }
};

StepRunner::StepRunner(Device& device, const StepOptions& options)
    : device_(device),
      options_(options),
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
  if (eager_) return run_eagerly(inputs, body);
  make_key(inputs, mode);
  Variant* variant = find_variant();
  if (variant == nullptr) return first_run(inputs, body);
  variant->last_used = steps_;
  switch (variant->stage) {
    case Variant::Stage::seen: variant->captured = capture(*variant, inputs, body); break;
    case Variant::Stage::captured: confirm(*variant, inputs, body); break;
    case Variant::Stage::confirmed: break;
    case Variant::Stage::eager: return run_eagerly(inputs, body);
  }
  return replay(*variant, inputs);
}

StepResult StepRunner::run_eagerly(std::span<const Tensor> inputs, const Body& body) const {
  const std::vector<Tensor> results = body(inputs);
  return StepResult(std::make_shared<StepResult::PendingResult>(results, options_.scaler));
}

StepResult StepRunner::first_run(std::span<const Tensor> inputs, const Body& body) {
  auto variant = std::make_unique<Variant>();
  variant->key = key_;
  variant->mode = describe_mode(inputs);
  variant->last_used = steps_;
  StepResult result;
  {
    plan::Recorder recorder(device_, plan::Recorder::Mode::observe);
    result = run_eagerly(inputs, body);
    variant->state = recorder.finish().state;
  }
  if (variants_.size() == kMaxVariants) {
    const auto oldest = std::min_element(variants_.begin(), variants_.end(),
                                         [](const auto& a, const auto& b) { return a->last_used < b->last_used; });
    variants_.erase(oldest);
  }
  variants_.push_back(std::move(variant));
  return result;
}

plan::Plan StepRunner::capture(Variant& variant, std::span<const Tensor> inputs, const Body& body) {
  if (!std::all_of(inputs.begin(), inputs.end(), fills_its_buffer)) make_staging_inputs(variant, inputs);
  const std::span<const Tensor> given =
      variant.staging_inputs.empty() ? inputs : std::span<const Tensor>(variant.staging_inputs);
  std::vector<BufferPtr> buffers;
  for (const Tensor& input : given) buffers.push_back(input.buffer());
  if (capture_feed_ == nullptr) capture_feed_ = device_.allocate(kFeedBytes, MemoryKind::inputs);
  plan::Plan captured;
  try {
    plan::Recorder recorder(device_, plan::Recorder::Mode::capture, buffers, capture_feed_);
    variant.results = body(given);
    for (Tensor& result : variant.results) result = result.detach();  // off the tape, which keeps memory alive
    auto [plan, state] = recorder.finish();
    captured = std::move(plan);
    variant.state = std::move(state);
  } catch (...) {
    forget(variant);
    throw;
  }
  const auto path_of = [this](KernelId kernel, const Spec& spec) {
    const Support support = device_.supports(kernel, spec);
    return support.supported ? support.path : std::string();
  };
  auto [optimized, passes] = plan::optimize(captured, options_.passes, path_of);
  variant.plan = std::move(optimized);
  variant.passes = std::move(passes);
  variant.memory = plan::plan_memory(variant.plan);
  variant.compiled.clear();
  variant.compiled_count = 0;
  variant.ring.clear();
  variant.stage = Variant::Stage::captured;
  return captured;
}

void StepRunner::confirm(Variant& variant, std::span<const Tensor> inputs, const Body& body) {
  const plan::Plan first = std::move(variant.captured);
  // The second plan is kept: it is its tensors that the program holds now.
  const std::string difference = plan::first_difference(first, capture(variant, inputs, body));
  if (difference.empty()) {
    variant.stage = Variant::Stage::confirmed;
    return;
  }
  variant.stage = Variant::Stage::eager;
  const bool is_first = reason_.empty();
  reason_ = fmt::format(
      "step {} ({}) is not the same each time, so it is not recorded: {}. A number of the host's is in "
      "it; give it from outside the step",
      steps_, variant.mode, difference);
  if (is_first) fmt::print(stderr, "amphora: {}\n", reason_);
}

StepResult StepRunner::replay(Variant& variant, std::span<const Tensor> inputs) {
  CompiledStep& compiled_step = compiled_for(variant, inputs);
  for (const plan::Feed& feed : variant.plan.feeds) {
    feed.write(std::span(compiled_step.feed_bytes).subspan(feed.offset, feed.bytes));
  }
  if (compiled_step.feed != nullptr) device_.upload(*compiled_step.feed, 0, compiled_step.feed_bytes);
  device_.submit(*compiled_step.executable);
  variant.state.apply();
  for (const auto& pending : variant.ring) {
    if (pending.use_count() > 1) continue;
    pending->restart();
    return StepResult(pending);
  }
  variant.ring.push_back(std::make_shared<StepResult::PendingResult>(variant.results, options_.scaler));
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
