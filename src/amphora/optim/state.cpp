// What an optimizer keeps: states, step counters, and how both are saved.
#include <algorithm>
#include <bit>
#include <set>
#include <string>

#include <fmt/format.h>

#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/optim/optimizer.h"

namespace amphora::optim {

namespace {

std::int32_t steps_of(const Tensor& state, CodeLine where) {
  GroupState group;
  state.device().download(*state.buffer(), 0, std::as_writable_bytes(std::span(&group, 1)), where);
  return group.step;
}

}  // namespace

int Optimizer::steps(int group, CodeLine where) const {
  int most = 0;
  for (const Cohort& cohort : group_at(group).cohorts) most = std::max(most, steps_of(cohort.state, where));
  return most;
}

int Optimizer::steps(const nn::Parameter& parameter, CodeLine where) const {
  for (const ParameterGroup& group : groups_) {
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      if (!group.parameters[i].is_same(parameter)) continue;
      return steps_of(group.cohorts[static_cast<std::size_t>(static_cast<int>(group.cohort_of[i]))].state, where);
    }
  }
  fail("{}: parameter '{}' is in none of its groups", name_, parameter.name());
}

const Tensor& Optimizer::state_array(const nn::ParameterArena& arena, int index) const {
  return states_.at({&arena, index});
}

Tensor Optimizer::state(const nn::Parameter& parameter, const std::string& name) const {
  const auto& names = row_of(rule_).states;
  const auto index = static_cast<int>(std::find(names.begin(), names.end(), name) - names.begin());
  const auto found = states_.find({parameter.arena().get(), index});
  require(found != states_.end(), "{} keeps no state '{}' for parameter '{}'", name_, name, parameter.name());
  return found->second.view(parameter.shape(), contiguous_strides(parameter.shape()), parameter.start());
}

void Optimizer::restore_steps(ParameterGroup& group, const std::vector<std::int32_t>& steps) {
  std::vector<std::int32_t> of_cohorts;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto found = std::find(of_cohorts.begin(), of_cohorts.end(), steps[i]);
    group.cohort_of[i] = static_cast<int>(found - of_cohorts.begin());
    if (found == of_cohorts.end()) of_cohorts.push_back(steps[i]);
  }
  Device& device = group.parameters.front().arena()->device();
  group.cohorts.resize(std::max(group.cohorts.size(), of_cohorts.size()));
  for (std::size_t c = 0; c < of_cohorts.size(); ++c) {
    const GroupState state{
        .lr = group.lr, .step = of_cohorts[c], .skip = 0, .gradient_factor = 1, .correction1 = 1, .correction2 = 1};
    auto& [memory, lr_bits] = group.cohorts[c];
    if (!memory.defined()) {
      memory = Tensor::empty(device, {sizeof(GroupState) / 4}, DType::i32, MemoryKind::optimizer_state);
    }
    device.upload(*memory.buffer(), 0, std::as_bytes(std::span(&state, 1)));
    lr_bits = std::bit_cast<std::int32_t>(group.lr);
  }
}

void Optimizer::visit_state(StateVisitor& visitor) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    ParameterGroup& group = groups_[g];
    const StateVisitor::Scope of_group(visitor, fmt::format("group{}", g));
    visitor.number("lr", group.lr);
    check_lr(group.lr);
    visitor.integer("next_step", group.next_step);
    std::vector<std::int32_t> of_cohorts;
    for (const Cohort& cohort : group.cohorts) of_cohorts.push_back(steps_of(cohort.state, CodeLine::current()));
    std::vector<std::int32_t> steps;
    std::set<std::string> names;
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      const nn::Parameter& parameter = group.parameters[i];
      require(names.insert(parameter.name()).second, "{}: two parameters of group {} are called '{}'", name_, g,
              parameter.name());
      const StateVisitor::Scope of_parameter(visitor, parameter.name());
      steps.push_back(of_cohorts[static_cast<std::size_t>(static_cast<int>(group.cohort_of[i]))]);
      visitor.integer("steps", steps.back());
      require(steps.back() >= 0, "{}: parameter '{}' cannot have taken {} steps", name_, parameter.name(),
              steps.back());
      for (int index = 0; index < kMaxStates; ++index) {
        if (!keeps_state(group, index)) continue;
        const std::string_view name = row_of(rule_).states[static_cast<std::size_t>(index)];
        visitor.tensor(name, state(parameter, std::string(name)));
      }
    }
    if (visitor.restores()) restore_steps(group, steps);
  }
}

}  // namespace amphora::optim
