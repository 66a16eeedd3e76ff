#include "train/step.h"

#include <algorithm>
#include <cstdio>

#include "amp/autocast.h"
#include "autograd/tape.h"
#include "backends/environment_flag.h"
#include "core/error.h"
#include "core/place.h"
#include "tensor/launch.h"

namespace amphora::train {

namespace {

constexpr std::size_t kFeedBytes = std::size_t{16} << 10;
// Batches that arrive in more buffers than this are copied into one that stays.
constexpr std::size_t kMostInstances = 4;
constexpr std::size_t kMostCourses = 32;

// Whether a plan may use the tensor's memory as it is: all of its buffer.
bool fills_its_buffer(const Tensor& tensor) {
  return tensor.offset() == 0 && tensor.is_contiguous() &&
         tensor.buffer()->bytes() == static_cast<std::size_t>(tensor.count()) * size_of(tensor.dtype());
}

std::string describe_mode(std::span<const Tensor> inputs) {
  std::string text;
  for (const Tensor& input : inputs) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name_of(input.dtype()), input.shape().str());
  }
  return text;
}

// Counts the steps for messages, in its scope.
class CountedStep {
 public:
  explicit CountedStep(std::int64_t step) : previous_(std::exchange(current_place().step, step)) {}
  CountedStep(const CountedStep&) = delete;
  CountedStep& operator=(const CountedStep&) = delete;
  ~CountedStep() { current_place().step = previous_; }

 private:
  std::int64_t previous_;
};

}  // namespace

struct StepRunner::Instance {
  std::vector<std::weak_ptr<Buffer>> inputs;  // they belong to whoever makes batches
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

struct StepRunner::Course {
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
  std::vector<Tensor> slots;  // where inputs are copied to; empty while they are used where they are
  std::vector<std::unique_ptr<Instance>> instances;
  std::size_t compiled = 0;                                // instances so far
  std::vector<std::shared_ptr<StepResult::Arrival>> ring;  // results on their way; free when nobody else holds them

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
  for (const auto& course : courses_) {
    if (course->stage != Course::Stage::confirmed || course->instances.empty()) continue;
    result.push_back(
        {course->mode, &course->plan, &course->memory, &course->passes, course->instances.front()->executable.get()});
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

StepRunner::Course* StepRunner::find_course() {
  for (const auto& course : courses_) {
    if (course->key == key_ && course->holds()) return course.get();
  }
  return nullptr;
}

StepResult StepRunner::run(std::span<const Tensor> inputs, std::span<const std::int64_t> mode, const Body& body) {
  const CountedStep counted(steps_++);
  if (eager_) return run_eagerly(inputs, body);
  make_key(inputs, mode);
  Course* course = find_course();
  if (course == nullptr) return first_run(inputs, body);
  course->last_used = steps_;
  switch (course->stage) {
    case Course::Stage::seen: course->captured = capture(*course, inputs, body); break;
    case Course::Stage::captured: confirm(*course, inputs, body); break;
    case Course::Stage::confirmed: break;
    case Course::Stage::eager: return run_eagerly(inputs, body);
  }
  return replay(*course, inputs);
}

StepResult StepRunner::run_eagerly(std::span<const Tensor> inputs, const Body& body) const {
  const std::vector<Tensor> results = body(inputs);
  return StepResult(std::make_shared<StepResult::Arrival>(results, options_.scaler));
}

StepResult StepRunner::first_run(std::span<const Tensor> inputs, const Body& body) {
  auto course = std::make_unique<Course>();
  course->key = key_;
  course->mode = describe_mode(inputs);
  course->last_used = steps_;
  StepResult result;
  {
    plan::Recorder recorder(device_, plan::Recorder::Mode::observe);
    result = run_eagerly(inputs, body);
    course->state = recorder.finish().state;
  }
  if (courses_.size() == kMostCourses) {
    const auto oldest = std::min_element(courses_.begin(), courses_.end(),
                                         [](const auto& a, const auto& b) { return a->last_used < b->last_used; });
    courses_.erase(oldest);
  }
  courses_.push_back(std::move(course));
  return result;
}

plan::Plan StepRunner::capture(Course& course, std::span<const Tensor> inputs, const Body& body) {
  if (!std::all_of(inputs.begin(), inputs.end(), fills_its_buffer)) make_slots(course, inputs);
  const std::span<const Tensor> given = course.slots.empty() ? inputs : std::span<const Tensor>(course.slots);
  std::vector<BufferPtr> buffers;
  for (const Tensor& input : given) buffers.push_back(input.buffer());
  if (capture_feed_ == nullptr) capture_feed_ = device_.allocate(kFeedBytes, MemoryKind::inputs);
  plan::Plan captured;
  try {
    plan::Recorder recorder(device_, plan::Recorder::Mode::capture, buffers, capture_feed_);
    course.results = body(given);
    for (Tensor& result : course.results) result = result.detach();  // off the tape, which keeps memory alive
    auto [plan, state] = recorder.finish();
    captured = std::move(plan);
    course.state = std::move(state);
  } catch (...) {
    forget(course);
    throw;
  }
  const auto path_of = [this](KernelId kernel, const Spec& spec) {
    const Support support = device_.supports(kernel, spec);
    return support.supported ? support.path : std::string();
  };
  auto [optimized, passes] = plan::optimize(captured, options_.passes, path_of);
  course.plan = std::move(optimized);
  course.passes = std::move(passes);
  course.memory = plan::plan_memory(course.plan);
  course.instances.clear();
  course.compiled = 0;
  course.ring.clear();
  course.stage = Course::Stage::captured;
  return captured;
}

void StepRunner::confirm(Course& course, std::span<const Tensor> inputs, const Body& body) {
  const plan::Plan first = std::move(course.captured);
  // The second plan is kept: it is its tensors that the program holds now.
  const std::string difference = plan::first_difference(first, capture(course, inputs, body));
  if (difference.empty()) {
    course.stage = Course::Stage::confirmed;
    return;
  }
  course.stage = Course::Stage::eager;
  const bool is_first = reason_.empty();
  reason_ = fmt::format(
      "step {} ({}) is not the same each time, so it is not recorded: {}. A number of the host's is in "
      "it; give it from outside the step",
      steps_, course.mode, difference);
  if (is_first) fmt::print(stderr, "amphora: {}\n", reason_);
}

StepResult StepRunner::replay(Course& course, std::span<const Tensor> inputs) {
  Instance& instance = instance_of(course, inputs);
  for (const plan::Feed& feed : course.plan.feeds) {
    feed.write(std::span(instance.feed_bytes).subspan(feed.offset, feed.bytes));
  }
  if (instance.feed != nullptr) device_.upload(*instance.feed, 0, instance.feed_bytes);
  device_.submit(*instance.executable);
  course.state.apply();
  for (const auto& arrival : course.ring) {
    if (arrival.use_count() > 1) continue;
    arrival->restart();
    return StepResult(arrival);
  }
  course.ring.push_back(std::make_shared<StepResult::Arrival>(course.results, options_.scaler));
  return StepResult(course.ring.back());
}

StepRunner::Instance& StepRunner::instance_of(Course& course, std::span<const Tensor> inputs) {
  if (course.slots.empty()) {
    for (const auto& instance : course.instances) {
      if (instance->takes(inputs) && instance->arena == arena_->memory) return *instance;
    }
  }
  course.compiled -=
      std::erase_if(course.instances, [this](const auto& instance) { return instance->arena != arena_->memory; });
  std::erase_if(course.instances, [](const auto& instance) { return instance->is_stale(); });
  if (course.slots.empty()) {
    if (course.compiled >= kMostInstances || !std::all_of(inputs.begin(), inputs.end(), fills_its_buffer)) {
      make_slots(course, inputs);
      course.instances.clear();
    }
  }
  if (!course.slots.empty()) {
    for (std::size_t i = 0; i < inputs.size(); ++i) launch_copy(inputs[i], course.slots[i]);
    inputs = course.slots;
    if (!course.instances.empty()) return *course.instances.front();
  }
  course.instances.push_back(compile(course, inputs));
  ++course.compiled;
  return *course.instances.back();
}

void StepRunner::make_slots(Course& course, std::span<const Tensor> inputs) {
  if (!course.slots.empty()) return;
  for (const Tensor& input : inputs) {
    course.slots.push_back(Tensor::empty(device_, input.shape(), input.dtype(), MemoryKind::inputs));
  }
}

std::unique_ptr<StepRunner::Instance> StepRunner::compile(const Course& course, std::span<const Tensor> inputs) {
  if (arena_bytes() < course.memory.bytes) {
    for (const auto& other : courses_) {
      other->compiled -= other->instances.size();
      other->instances.clear();  // they name the old memory
    }
    arena_->memory.reset();
    arena_->memory = device_.allocate(course.memory.bytes, MemoryKind::activations);
  }
  auto instance = std::make_unique<Instance>();
  instance->arena = arena_->memory;
  if (course.plan.feed_bytes > 0) {
    instance->feed_bytes.resize(course.plan.feed_bytes);
    instance->feed = device_.allocate(course.plan.feed_bytes, MemoryKind::inputs);
  }
  std::vector<Buffer*> buffers;
  for (const Tensor& input : inputs) {
    buffers.push_back(input.buffer().get());
    instance->inputs.push_back(input.buffer());
  }
  instance->executable =
      device_.compile(plan::bind(course.plan, course.memory, arena_->memory.get(), buffers, instance->feed.get()));
  return instance;
}

void StepRunner::forget(const Course& course) {
  std::erase_if(courses_, [&course](const auto& known) { return known.get() == &course; });
}

}  // namespace amphora::train
