#include "amphora/optim/optimizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/device/device.h"
#include "amphora/plan/recorder.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

namespace {

constexpr auto kUnknown = std::bit_cast<std::int32_t>(std::numeric_limits<float>::quiet_NaN());

Tensor flat_part(const Tensor& flat, const nn::ParameterSpan& run) {
  const Shape shape{run.count};
  return flat.view(shape, contiguous_strides(shape), run.start);
}

}  // namespace

void Optimizer::add_group(const Parameters& parameters, float lr, const Rule& rule) {
  require(!parameters.empty(), "{}: a group without parameters", name_);
  check_lr(lr);
  for (const nn::Parameter& parameter : parameters) {
    require(members_.insert(parameter.tensor().leaf().get()).second, "{}: parameter '{}' is given twice", name_,
            parameter.name());
  }
  nn::Parameter::gather(parameters);
  ParameterGroup& group = groups_.emplace_back();
  group.parameters = parameters;
  group.lr = lr;
  group.rule = rule;
  group.cohort_of.resize(parameters.size());
  restore_steps(group, std::vector<std::int32_t>(parameters.size()));
  Device& device = parameters.front().arena()->device();
  for (const nn::Parameter& parameter : parameters) {
    const nn::ParameterArena* arena = parameter.arena().get();
    for (int index = 0; index < kMaxStates; ++index) {
      if (!keeps_state(group, index)) continue;
      Tensor& flat = states_[{arena, index}];
      if (!flat.defined()) flat = Tensor::zeros(device, {arena->count()}, DType::f32, MemoryKind::optimizer_state);
    }
  }
}

bool Optimizer::keeps_state(const ParameterGroup& group, int index) const {
  const auto i = static_cast<std::size_t>(index);
  return i < row_of(rule_).presence.size() && group.rule.states_used[i];
}

void Optimizer::zero_grad() {
  for (const ParameterGroup& group : groups_) {
    for (const nn::Parameter& parameter : group.parameters) parameter.tensor().clear_grad();
  }
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> result;
  for (const ParameterGroup& group : groups_) {
    for (const nn::ParameterSpan& run : nn::spans_of(group.parameters, true)) result.push_back(run.gradient());
  }
  return result;
}

// --- one step ---

void Optimizer::apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) {
  const OpPlace place("step", name_);
  std::vector<BufferRange> rates;
  for (ParameterGroup& group : groups_) rates.push_back(next_lr(group));
  const std::vector<Active> all = active_cohorts();
  // Freshness is judged before the first write: all runs of an arena belong to one step.
  std::map<nn::ParameterArena*, Tensor> working_copies;
  for (const Active& active : all) {
    for (const nn::ParameterSpan& run : active.runs) {
      working_copies.try_emplace(run.arena.get(), run.arena->fresh_working_copy());
    }
  }
  for (const Active& active : all) {
    begin_step(active, stats, scaler_state, rates[static_cast<std::size_t>(active.group)], unscale);
    for (const nn::ParameterSpan& run : active.runs) update(active, run, working_copies.at(run.arena.get()));
  }
  for (const auto& [arena, flat] : working_copies) {
    if (flat.defined()) arena->mark_fresh();
  }
  if (autograd::Trace* trace = autograd::active_trace()) trace->add({.phase = "step", .op = name_});
}

std::vector<Optimizer::Active> Optimizer::active_cohorts() {
  std::vector<Active> result;
  for (int index = 0; index < group_count(); ++index) {
    ParameterGroup& group = group_at(index);
    struct Members {
      Parameters with_gradient;
      std::vector<std::size_t> places;
      std::size_t without = 0;
    };
    std::vector<Members> cohorts(group.cohorts.size());
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      Members& members = cohorts[static_cast<std::size_t>(static_cast<int>(group.cohort_of[i]))];
      if (group.parameters[i].grad().defined()) {
        members.with_gradient.push_back(group.parameters[i]);
        members.places.push_back(i);
      } else {
        ++members.without;
      }
    }
    for (std::size_t c = 0; c < cohorts.size(); ++c) {
      const Members& members = cohorts[c];
      if (members.places.empty()) continue;
      int cohort = static_cast<int>(c);
      if (members.without > 0) {
        cohort = split_off(group, cohort);
        for (const std::size_t i : members.places) group.cohort_of[i] = cohort;
      }
      result.push_back({index, cohort, nn::spans_of(members.with_gradient, false)});
    }
  }
  return result;
}

// A copy of the cohort, made on the device, which alone knows how many steps were skipped.
int Optimizer::split_off(ParameterGroup& group, int cohort) {
  const Cohort whole = group.cohorts[static_cast<std::size_t>(cohort)];
  const auto is_empty = [&group](int candidate) {
    return std::none_of(group.cohort_of.begin(), group.cohort_of.end(), [&](int of) { return of == candidate; });
  };
  int copy = 0;
  while (!is_empty(copy)) ++copy;
  if (copy == static_cast<int>(group.cohorts.size())) {
    group.cohorts.push_back(
        {Tensor::empty(whole.state.device(), whole.state.shape(), DType::i32, MemoryKind::optimizer_state),
         whole.lr_bits});
  }
  Cohort& part = group.cohorts[static_cast<std::size_t>(copy)];
  launch_copy(whole.state, part.state);
  part.lr_bits = whole.lr_bits.peek();
  return copy;
}

void Optimizer::begin_step(const Active& active, const Tensor& stats, const Tensor& scaler_state, BufferRange lr,
                           bool unscale) {
  const ParameterGroup& group = group_at(active.group);
  const Tensor& state = group.cohorts[static_cast<std::size_t>(active.cohort)].state;
  const auto [decay1, decay2] = group.rule.decays;
  const BeginStepParams params{.decay1 = static_cast<float>(decay1),
                               .decay1_low = low_part(decay1),
                               .decay2 = static_cast<float>(decay2),
                               .decay2_low = low_part(decay2),
                               .unscale = unscale ? 1 : 0};
  KernelCall call(KernelId::begin_step, Spec{}, params);
  call.with(range_of(state)).with(range_or_absent(stats)).with(range_or_absent(scaler_state)).with(lr);
  state.device().launch(call);
}

void Optimizer::update(const Active& active, const nn::ParameterSpan& run, const Tensor& working) {
  const ParameterGroup& group = group_at(active.group);
  OptimizerParams params = group.rule.params;
  params.count = narrow<std::uint32_t>(run.count, "number of elements");
  const DType working_type = working.defined() ? working.dtype() : DType::f32;
  const Spec spec{.types = {DType::f32, DType::f32, working_type, DType::f32},
                  .function = static_cast<std::uint8_t>(rule_)};
  KernelCall call(KernelId::optimizer_step, spec, params);
  call.with(range_of(run.gradient())).with(range_of(run.master()));
  call.with(working.defined() ? range_of(flat_part(working, run)) : BufferRange{});
  for (int index = 0; index < kMaxStates; ++index) {
    call.with(keeps_state(group, index) ? range_of(flat_part(state_array(*run.arena, index), run)) : BufferRange{});
  }
  call.with(range_of(group.cohorts[static_cast<std::size_t>(active.cohort)].state));
  run.arena->device().launch(call);
}

// --- rates ---

void Optimizer::set_lr(float lr) {
  for (int group = 0; group < group_count(); ++group) set_lr(group, lr);
}

void Optimizer::set_lr(int group, float lr) {
  ParameterGroup& changed = group_at(group);
  changed.lr = check_lr(lr);
  for (Cohort& cohort : changed.cohorts) {
    cohort.lr_bits.depend();  // a body that sets the rate it finds makes no call
    write_lr(cohort, lr);
  }
}

float Optimizer::check_lr(float lr) const {
  require(std::isfinite(lr) && lr >= 0.0f, "{}: the learning rate is {}; it must be finite and at least 0", name_, lr);
  return lr;
}

void Optimizer::write_lr(Cohort& cohort, float lr) {
  const auto bits = std::bit_cast<std::int32_t>(lr);
  if (cohort.lr_bits.peek() == bits) return;
  const BufferPtr& memory = cohort.state.buffer();
  if (plan::Recorder::capturing() != nullptr) {  // in a step it is a call like others
    KernelCall call(KernelId::fill, Spec{.types = {DType::f32}}, FillParams{1, lr});
    memory->device().launch(call.with({memory.get(), offsetof(GroupState, lr), sizeof lr}));
  } else {
    memory->device().upload(*memory, offsetof(GroupState, lr), std::as_bytes(std::span(&lr, 1)));
  }
  cohort.lr_bits = bits;
}

void Optimizer::follow(const Schedule& schedule, std::int64_t next_step) {
  for (int group = 0; group < group_count(); ++group) follow(group, schedule, next_step);
}

void Optimizer::follow(int group, Schedule schedule, std::int64_t next_step) {
  ParameterGroup& followed = group_at(group);
  followed.schedule = std::move(schedule);
  followed.next_step = next_step;
  followed.has_schedule = followed.schedule != nullptr;
  if (!followed.schedule) set_lr(group, followed.lr);
}

BufferRange Optimizer::next_lr(ParameterGroup& group) {
  if (!group.has_schedule) return {};
  if (plan::Recorder* recorder = plan::Recorder::capturing()) {
    return recorder->feed("lr", sizeof(float), [this, index = &group - groups_.data()](std::span<std::byte> bytes) {
      ParameterGroup& fed = groups_[static_cast<std::size_t>(index)];
      fed.lr = check_lr(fed.schedule(fed.next_step++));
      std::memcpy(bytes.data(), &fed.lr, sizeof fed.lr);
      // It reaches the cohorts that take a step.
      for (Cohort& cohort : fed.cohorts) cohort.lr_bits = kUnknown;
    });
  }
  group.lr = check_lr(group.schedule(group.next_step++));
  for (Cohort& cohort : group.cohorts) write_lr(cohort, group.lr);
  return {};
}

const Optimizer::ParameterGroup& Optimizer::group_at(int group) const {
  require(group >= 0 && group < group_count(), "{}: group {} of {}", name_, group, group_count());
  return groups_[static_cast<std::size_t>(group)];
}

Optimizer::ParameterGroup& Optimizer::group_at(int group) {
  return const_cast<ParameterGroup&>(std::as_const(*this).group_at(group));  // NOLINT: it is this object's
}

}  // namespace amphora::optim
