#include "amphora/optim/optimizer.h"

#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

float low_part(double value) { return static_cast<float>(value - static_cast<double>(static_cast<float>(value))); }

Optimizer::Optimizer(std::string name, std::vector<std::string> state_names)
    : name_(std::move(name)), state_names_(std::move(state_names)) {}

void Optimizer::add_group(const Parameters& parameters, float lr) {
  require(!parameters.empty(), "{}: a group without parameters", name_);
  check_lr(lr);
  for (const nn::Parameter& parameter : parameters) {
    require(members_.insert(parameter.tensor().leaf().get()).second, "{}: parameter '{}' is given twice", name_,
            parameter.name());
  }
  nn::Parameter::gather(parameters);
  Device& device = parameters.front().arena()->device();
  Tensor state = Tensor::empty(device, {sizeof(GroupState) / 4}, DType::i32, MemoryKind::optimizer_state);
  const GroupState initial{
      .lr = lr, .step = 0, .skip = 0, .gradient_factor = 1, .bias_correction1 = 1, .bias_correction2 = 1};
  device.upload(*state.buffer(), 0, std::as_bytes(std::span(&initial, 1)));
  groups_.push_back({parameters, lr, state});
  for (const nn::Parameter& parameter : parameters) {
    const nn::ParameterArena* arena = parameter.arena().get();
    for (const std::string& state_name : state_names_) {
      Tensor& flat = states_[{arena, state_name}];
      if (!flat.defined()) flat = Tensor::zeros(device, {arena->count()}, DType::f32, MemoryKind::optimizer_state);
    }
  }
}

void Optimizer::zero_grad() {
  for (const Group& group : groups_) {
    for (const nn::Parameter& parameter : group.parameters) parameter.tensor().clear_grad();
  }
}

void Optimizer::set_lr(float lr) {
  for (int group = 0; group < group_count(); ++group) set_lr(group, lr);
}

void Optimizer::set_lr(int group, float lr) {
  check_lr(lr);
  group_at(group);  // throws where there is none
  write_lr(groups_[static_cast<std::size_t>(group)], lr);
}

float Optimizer::check_lr(float lr) const {
  require(std::isfinite(lr) && lr >= 0.0f, "{}: the learning rate is {}; it must be finite and at least 0", name_, lr);
  return lr;
}

void Optimizer::write_lr(Group& group, float lr) {
  if (group.lr == lr) return;
  group.state.device().upload(*group.state.buffer(), offsetof(GroupState, lr), std::as_bytes(std::span(&lr, 1)));
  group.lr = lr;
}

void Optimizer::follow(Schedule schedule, std::int64_t next_step) {
  schedule_ = std::move(schedule);
  next_step_ = next_step;
}

BufferRange Optimizer::next_lr() {
  if (!schedule_) return {};
  if (plan::Recorder* recorder = plan::Recorder::capturing()) {
    return recorder->feed("lr", sizeof(float), [this](std::span<std::byte> bytes) {
      const float lr = check_lr(schedule_(next_step_++));
      for (Group& group : groups_) group.lr = lr;
      std::memcpy(bytes.data(), &lr, sizeof lr);
    });
  }
  set_lr(schedule_(next_step_++));
  return {};
}

int Optimizer::steps(int group, CodeLine where) const {
  GroupState state;
  const Tensor& memory = group_at(group).state;
  memory.device().download(*memory.buffer(), 0, std::as_writable_bytes(std::span(&state, 1)), where);
  return state.step;
}

const Optimizer::Group& Optimizer::group_at(int group) const {
  require(group >= 0 && group < group_count(), "{}: group {} of {}", name_, group, group_count());
  return groups_[static_cast<std::size_t>(group)];
}

Tensor Optimizer::state(const nn::Parameter& parameter, const std::string& name) const {
  const auto found = states_.find({parameter.arena().get(), name});
  require(found != states_.end(), "{} keeps no state '{}' for parameter '{}'", name_, name, parameter.name());
  return found->second.view(parameter.shape(), contiguous_strides(parameter.shape()), parameter.start());
}

Tensor Optimizer::state_of(const nn::ParameterSpan& run, const std::string& name) const {
  return states_.at({run.arena.get(), name}).view({run.count}, contiguous_strides({run.count}), run.start);
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> result;
  for (const Group& group : groups_) {
    for (const nn::ParameterSpan& run : nn::spans_of(group.parameters, true)) result.push_back(run.gradient());
  }
  return result;
}

void Optimizer::apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) {
  const OpPlace place("step", name_);
  const BufferRange lr = next_lr();
  std::vector<std::vector<nn::ParameterSpan>> runs_by_group;
  // Freshness is judged before the first write: all runs of an arena belong to one step.
  std::map<nn::ParameterArena*, Tensor> working_copies;
  for (const Group& group : groups_) {
    runs_by_group.push_back(nn::spans_of(group.parameters, true));
    for (const nn::ParameterSpan& run : runs_by_group.back()) {
      working_copies.try_emplace(run.arena.get(), run.arena->fresh_working_copy());
    }
  }
  for (int index = 0; index < group_count(); ++index) {
    const std::vector<nn::ParameterSpan>& runs = runs_by_group[static_cast<std::size_t>(index)];
    if (runs.empty()) continue;
    const Tensor& group_state = group_at(index).state;
    const Betas beta = betas(index);
    const BeginStepParams params{.beta1 = static_cast<float>(beta.beta1),
                                 .beta1_low = low_part(beta.beta1),
                                 .beta2 = static_cast<float>(beta.beta2),
                                 .beta2_low = low_part(beta.beta2),
                                 .unscale = unscale ? 1 : 0};
    KernelCall begin(KernelId::begin_step, Spec{}, params);
    begin.with(range_of(group_state)).with(range_or_absent(stats)).with(range_or_absent(scaler_state)).with(lr);
    group_state.device().launch(begin);
    for (const nn::ParameterSpan& run : runs) {
      const Tensor& flat = working_copies.at(run.arena.get());
      const Shape shape{run.count};
      launch_update(index, run, flat.defined() ? flat.view(shape, contiguous_strides(shape), run.start) : Tensor());
    }
  }
  for (const auto& [arena, flat] : working_copies) {
    if (flat.defined()) arena->mark_fresh();
  }
  if (autograd::Trace* trace = autograd::active_trace()) trace->add({.phase = "step", .op = name_});
}

}  // namespace amphora::optim
