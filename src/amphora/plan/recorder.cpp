#include "amphora/plan/recorder.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"

namespace amphora::plan {
namespace {

// "in 'linear' of layers.0, forward".
std::string where_now() {
  const std::string place = describe(context().place);
  return place.empty() ? "" : fmt::format(" in {}", place);
}

constexpr std::size_t kFeedAlignment = 16;

}  // namespace

void note_birth(const TrackedCell& cell) {
  if (Recorder* recorder = Recorder::active()) recorder->note_birth(cell);
}
void note_read(const TrackedCell& cell) {
  if (Recorder* recorder = Recorder::active()) recorder->note_read(cell);
}
void note_write(const TrackedCell& cell, std::int64_t value) {
  if (Recorder* recorder = Recorder::active()) recorder->note_write(cell, value);
}

Recorder::Recorder(Device& device, Mode mode, std::vector<BufferPtr> inputs, BufferPtr feed,
                   std::span<const BufferPtr> known)
    : device_(device), mode_(mode), inputs_(std::move(inputs)), feed_(std::move(feed)), known_(known) {
  if (active() != nullptr) throw StateError("a step is recorded within another one; end the outer step first");
  active_.emplace(context().recorder, this);
}

Recorder::~Recorder() {
  if (!active_) return;  // finished
  active_.reset();
  if (mode_ == Mode::capture) result_.state.roll_back();
}

Recorder* Recorder::active() { return context().recorder; }

Recorder* Recorder::capturing() {
  Recorder* recorder = active();
  return recorder != nullptr && recorder->mode_ == Mode::capture ? recorder : nullptr;
}

void Recorder::require_device(const Device& device) const {
  require(&device == &device_,
          "a recorded step runs on one device, but a kernel was launched on another{}; run that "
          "outside of the step",
          where_now());
}

int Recorder::value_of(const BufferRange& range) {
  if (range.buffer == nullptr) return kNoValue;
  Buffer& buffer = *range.buffer;
  const auto [entry, is_new] = values_.try_emplace(buffer.id(), static_cast<int>(result_.plan.values.size()));
  if (!is_new) return entry->second;
  Value value{.role = Role::kept, .bytes = buffer.bytes(), .kind = buffer.kind()};
  const auto input =
      std::find_if(inputs_.begin(), inputs_.end(), [&](const BufferPtr& b) { return b.get() == &buffer; });
  if (input != inputs_.end()) {
    value.role = Role::input;
    value.kind = MemoryKind::inputs;
    value.input = static_cast<int>(input - inputs_.begin());
  } else if (feed_.get() == &buffer) {
    value.role = Role::feed;
  } else if (made_.contains(buffer.id())) {
    value.role = Role::transient;  // unless it turns out to be kept
  } else {
    value.buffer = buffer.shared_from_this();
  }
  result_.plan.values.push_back(std::move(value));
  return entry->second;
}

void Recorder::refuse_write(const KernelCall& call) const {
  for (int i = 0; i < call.buffer_count; ++i) {
    const Buffer* buffer = call.buffers[static_cast<std::size_t>(i)].buffer;
    require(
        buffer == nullptr || !is_written(call, i) || !constants_.contains(buffer->id()),
        "{} changes memory that the host has filled{}; a recorded step would find it changed the next time. Make it "
        "outside of the step, or let a kernel fill it",
        name_of(call.id), where_now());
  }
}

void Recorder::append(const KernelCall& call) {
  if (!constants_.empty()) refuse_write(call);
  const Place& place = context().place;
  PlannedCall planned{.call = call,
                      .values = {},
                      .phase = std::string(place.phase),
                      .op = std::string(place.op),
                      .module = place.module};
  planned.values.fill(kNoValue);
  for (std::size_t i = 0; i < static_cast<std::size_t>(call.buffer_count); ++i) {
    planned.values[i] = value_of(call.buffers[i]);
    planned.call.buffers[i].buffer = nullptr;
  }
  result_.plan.calls.push_back(std::move(planned));
}

BufferPtr Recorder::allocated_before(std::size_t bytes, MemoryKind kind) {
  if (allocated_.size() >= known_.size()) return nullptr;
  const BufferPtr& buffer = known_[allocated_.size()];
  const bool fits = buffer != nullptr && buffer->bytes() == bytes && buffer->kind() == kind;
  return fits && !made_.contains(buffer->id()) ? buffer : nullptr;
}

void Recorder::allocated(const BufferPtr& buffer) {
  made_.insert(buffer->id());
  allocated_.push_back(buffer);
}

void Recorder::uploaded(Buffer& target, std::size_t offset, std::span<const std::byte> source) {
  require(made_.contains(target.id()),
          "the host writes {} that is older than the step{}, but a recorded step would write the same bytes each time; "
          "do it outside of the step, or let an optimizer follow a schedule (AMPHORA_EAGER=1 runs every step eagerly)",
          name_of(target.kind()), where_now());
  Constant& constant = constants_[target.id()];
  constant.buffer = target.shared_from_this();
  const std::string_view bytes(reinterpret_cast<const char*>(source.data()), source.size());
  constant.content = constant.content * 31 + offset + std::hash<std::string_view>()(bytes) + 1;
}

void Recorder::refuse_read(const CodeLine& where) const {
  throw StateError(fmt::format(
      "{}:{} reads device memory within a recorded step{}, where nothing has been computed yet; return the tensor from "
      "the step and read it from the step's result, or set AMPHORA_EAGER=1",
      where.file, where.line, where_now()));
}

void Recorder::note_birth(const TrackedCell& cell) { born_.insert(cell.get()); }

void Recorder::note_read(const TrackedCell& cell) {
  // What the step itself has made or written does not depend on what was there before.
  if (effects_.contains(cell.get()) || born_.contains(cell.get())) return;
  auto& guards = result_.state.guards;
  if (guards_.try_emplace(cell.get(), guards.size()).second) guards.push_back({cell, *cell});
}

void Recorder::note_write(const TrackedCell& cell, std::int64_t value) {
  if (born_.contains(cell.get())) return;
  const auto [entry, is_new] = effects_.try_emplace(cell.get(), result_.state.effects.size());
  if (is_new) {
    result_.state.before.push_back({cell, *cell});
    result_.state.effects.push_back({cell, value});
  } else {
    result_.state.effects[entry->second].value = value;
  }
}

void Recorder::add_condition(const void* subject, std::function<bool()> holds) {
  if (actions_.contains(subject)) return;
  auto& conditions = result_.state.conditions;
  if (conditions_.try_emplace(subject, conditions.size()).second) conditions.push_back(std::move(holds));
}

void Recorder::add_action(const void* subject, std::function<bool()> applies, std::function<void()> action) {
  const auto [entry, is_new] = actions_.try_emplace(subject, pending_actions_.size());
  if (is_new) pending_actions_.emplace_back();
  pending_actions_[entry->second] = {std::move(applies), std::move(action)};
}

void Recorder::add_undo(std::function<void()> undo) { result_.state.undo.push_back(std::move(undo)); }

BufferRange Recorder::feed(std::string name, std::size_t bytes, std::function<void(std::span<std::byte>)> write) {
  Plan& plan = result_.plan;
  const std::size_t offset = plan.feed_bytes;
  require(feed_ != nullptr && offset + bytes <= feed_->bytes(),
          "a recorded step is fed {} bytes before '{}', and no more fit; use fewer dropout layers or parameter groups",
          offset, name);
  plan.feed_bytes = (offset + bytes + kFeedAlignment - 1) / kFeedAlignment * kFeedAlignment;
  plan.feeds.push_back({std::move(name), offset, bytes, std::move(write)});
  return {feed_.get(), offset, bytes};
}

Recorder::Result Recorder::finish() {
  active_.reset();
  Plan& plan = result_.plan;
  for (Action& action : pending_actions_) {
    if (action.applies()) result_.state.actions.push_back(std::move(action.act));
  }
  for (const std::weak_ptr<Buffer>& weak : allocated_) {
    result_.allocated.push_back(weak.lock());
    BufferPtr buffer = result_.allocated.back();
    if (buffer == nullptr) continue;
    const std::uint64_t id = buffer->id();
    const auto found = values_.find(id);
    if (found == values_.end()) continue;
    Value& value = plan.values[static_cast<std::size_t>(found->second)];
    value.role = Role::kept;
    value.made_here = true;
    value.buffer = std::move(buffer);
    if (const auto constant = constants_.find(id); constant != constants_.end())
      value.content = constant->second.content;
  }
  constants_.clear();
  for (Value& value : plan.values) {
    if (value.role == Role::feed) value.bytes = plan.feed_bytes;  // all that a compiled step needs of it
  }
  return std::move(result_);
}

}  // namespace amphora::plan
