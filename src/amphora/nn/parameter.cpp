#include "amphora/nn/parameter.h"

#include <utility>

#include "amphora/autograd/tape.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/launch.h"

namespace amphora::nn {

namespace {

Tensor part_of(const Tensor& flat, std::int64_t start, const Shape& shape) {
  return flat.view(shape, contiguous_strides(shape), start);
}

std::size_t slot_of(DType dtype) {
  require(is_16bit(dtype), "a working copy of type {}; it is f16 or bf16", name_of(dtype));
  return dtype == DType::f16 ? 0 : 1;
}

}  // namespace

ParameterArena::ParameterArena(Device& device, std::int64_t count)
    : masters_(Tensor::empty(device, {count}, DType::f32, MemoryKind::masters)),
      gradients_(Tensor::empty(device, {count}, DType::f32, MemoryKind::gradients)) {}

Tensor ParameterArena::master(std::int64_t start, const Shape& shape) const { return part_of(masters_, start, shape); }
Tensor ParameterArena::gradient(std::int64_t start, const Shape& shape) const {
  return part_of(gradients_, start, shape);
}

Tensor ParameterArena::working_copy(DType dtype, std::int64_t start, const Shape& shape) {
  const std::size_t slot = slot_of(dtype);
  WorkingCopy& copy = copies_[slot];
  latest_ = static_cast<int>(slot);
  if (!copy.flat.defined()) {
    copy.flat = Tensor::empty(device(), {count()}, dtype, MemoryKind::working_copies);
    copy.master_version = masters_.buffer()->version() - 1;
  }
  if (!is_fresh(slot)) {
    launch_copy(masters_, copy.flat);
    mark_fresh();
  }
  return part_of(copy.flat, start, shape);
}

Tensor ParameterArena::fresh_working_copy() const {
  if (latest_ < 0) return {};
  const auto slot = static_cast<std::size_t>(latest_);
  return is_fresh(slot) ? copies_[slot].flat : Tensor();
}

bool ParameterArena::is_fresh(std::size_t slot) const {
  const auto fresh = [](const ParameterArena& arena, std::size_t copy) {
    return arena.copies_[copy].master_version == arena.masters_.buffer()->version();
  };
  const bool result = fresh(*this, slot);
  if (plan::Recorder* recorder = plan::Recorder::active()) {
    recorder->add_condition(
        &copies_[slot], [arena = shared_from_this(), slot, result, fresh] { return fresh(*arena, slot) == result; });
  }
  return result;
}

void ParameterArena::mark_fresh() {
  if (latest_ < 0) return;
  WorkingCopy& copy = copies_[static_cast<std::size_t>(latest_)];
  const std::uint64_t before = std::exchange(copy.master_version, masters_.buffer()->version());
  if (plan::Recorder* recorder = plan::Recorder::active()) {
    // Where the step writes the masters again, the copy is stale at its end.
    const auto arena = shared_from_this();
    recorder->add_undo([arena, &copy, before] { copy.master_version = before; });
    recorder->add_action(
        &copy, [arena, &copy] { return copy.master_version == arena->masters_.buffer()->version(); },
        [arena, &copy] { copy.master_version = arena->masters_.buffer()->version(); });
  }
}

Parameter::Parameter(Device& device, std::string name, const Shape& shape, std::span<const float> values)
    : state_(std::make_shared<State>()) {
  require(static_cast<std::int64_t>(values.size()) == shape.count(), "parameter '{}' of shape {} was given {} values",
          name, shape, values.size());
  state_->name = std::move(name);
  state_->leaf = std::make_shared<autograd::Leaf>();
  state_->leaf->shape = shape;
  place(std::make_shared<ParameterArena>(device, shape.count()), 0);
  state_->master.set_leaf(state_->leaf);
  state_->master.assign(values);
}

void Parameter::place(const std::shared_ptr<ParameterArena>& arena, std::int64_t start) const {
  State& state = *state_;
  autograd::Leaf& leaf = *state.leaf;
  const Tensor master = arena->master(start, leaf.shape);
  const Tensor gradient = arena->gradient(start, leaf.shape);
  if (state.master.defined()) {
    launch_copy(state.master, master);
    if (leaf.defined) launch_copy(leaf.gradient, gradient);
    state.master.rebind(master);
  } else {
    state.master = master;
  }
  leaf.gradient = gradient;
  // The copy is a tensor of its own, but its gradient gathers in the same leaf, in f32. The leaf is held weakly: it
  // owns this function.
  leaf.working_copy = [arena, start, shape = leaf.shape, weak = std::weak_ptr(state.leaf)](DType dtype) {
    Tensor copy = arena->working_copy(dtype, start, shape);
    copy.set_leaf(weak.lock());
    return copy;
  };
  state.arena = arena;
  state.start = start;
  state.moves = state.moves + 1;
}

const Tensor& Parameter::tensor() const {
  if (!state_->listed && context().module != nullptr) {
    fail(
        "the parameter '{}' is used in a forward pass, but is not listed in any visit_parts(), so that it would be "
        "neither trained nor saved",
        name());
  }
  state_->moves.depend();
  return state_->master;
}

Tensor Parameter::working_copy(DType dtype) const { return state_->leaf->working_copy(dtype); }

void Parameter::gather(std::span<const Parameter> parameters) {
  std::vector<Parameter> alone;
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters) {
    require(&parameter.arena()->device() == &parameters.front().arena()->device(),
            "parameters '{}' and '{}' lie on two devices", parameters.front().name(), parameter.name());
    if (parameter.arena()->is_settled()) continue;
    alone.push_back(parameter);
    total += parameter.count();
  }
  if (alone.size() > 1) {
    const auto arena = std::make_shared<ParameterArena>(alone.front().arena()->device(), total);
    std::int64_t start = 0;
    for (const Parameter& parameter : alone) {
      parameter.place(arena, start);
      start += parameter.count();
    }
  }
  for (const Parameter& parameter : alone) parameter.arena()->settle();
}

std::vector<ParameterSpan> spans_of(std::span<const Parameter> parameters, bool with_gradient_only) {
  std::vector<ParameterSpan> runs;
  for (const Parameter& parameter : parameters) {
    if (with_gradient_only && !parameter.grad().defined()) continue;
    const bool continues = !runs.empty() && runs.back().arena == parameter.arena() &&
                           runs.back().start + runs.back().count == parameter.start();
    if (continues) {
      runs.back().count += parameter.count();
    } else {
      runs.push_back({parameter.arena(), parameter.start(), parameter.count()});
    }
  }
  return runs;
}

}  // namespace amphora::nn
