// Optimizers on f32 masters. One launch for each stretch of neighbouring parameters reads gradient, master and state,
// and writes master, state and the 16-bit working copy together.
//
// What a step does to an element is a row of kernel/shared/optim.def; a class such as Adam turns options into the row's
// constants. Learning rate, step counters and the decision to skip live on the device; nothing here waits, except where
// said.
//
// A parameter counts the steps in which it had a gradient and that were applied. Those of a group which had them in the
// same steps form a cohort, which shares a counter on the device; a cohort splits where only a part has gradients.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "amphora/amp/gradient_owner.h"
#include "amphora/kernel/call.h"
#include "amphora/kernel/optimizers.h"
#include "amphora/nn/parameter.h"
#include "amphora/optim/schedule.h"
#include "amphora/plan/tracked.h"
#include "amphora/tensor/state.h"

namespace amphora::optim {

using Parameters = std::vector<nn::Parameter>;

// Parameters with options of their own.
template <class Options>
struct Group {
  Parameters parameters;
  Options options;
};

class Optimizer : public amp::GradientOwner {
 public:
  // Forgets all gradients. The next backward() overwrites them, so nothing is filled with zeros.
  void zero_grad();
  // A step without a GradScaler. Parameters without a gradient stay as they are.
  void step() { apply({}, {}, false); }

  const std::string& name() const { return name_; }
  int group_count() const { return static_cast<int>(groups_.size()); }

  void set_lr(float lr);  // of every group
  void set_lr(int group, float lr);
  float lr(int group = 0) const { return group_at(group).lr; }
  // From now on each step takes its rate from the schedule; its first number is `next_step`. A recorded step asks the
  // schedule anew each time it is replayed. An empty schedule leaves the rate as it is, for set_lr() to change.
  void follow(const Schedule& schedule, std::int64_t next_step = 0);  // every group
  void follow(int group, Schedule schedule, std::int64_t next_step = 0);

  // Steps that were applied, skipped ones not counted: of the parameter of the group with most, or of one. Waits.
  int steps(int group = 0, CodeLine where = CodeLine::current()) const;
  int steps(const nn::Parameter& parameter, CodeLine where = CodeLine::current()) const;
  // The parameter's part of the state called `name` ("momentum", "m", "v"). Throws Error for another name.
  Tensor state(const nn::Parameter& parameter, const std::string& name) const;
  // Rates, positions in schedules, and for each parameter its steps and states, under GROUP.PARAMETER. Waits. Throws
  // Error where two parameters of a group have one name. Not within a recorded step.
  void visit_state(StateVisitor& visitor);

  std::vector<Tensor> gradients() const override;
  void apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) override;

 protected:
  // What a group's options come to.
  struct Rule {
    OptimizerParams params;                                      // see optimizer_params(); of no elements
    std::array<double, 2> decays{};                              // for correction1 and correction2 of optim.def
    std::array<bool, kMaxStates> states_used{true, true, true};  // of those that may be absent
  };

  Optimizer(std::string name, OptimizerRule rule) : name_(std::move(name)), rule_(rule) {}
  // Adds a group and gathers its parameters into one arena. Throws Error when there are none, when one is in the
  // optimizer already, or the rate is not a finite number of at least 0.
  void add_group(const Parameters& parameters, float lr, const Rule& rule);

 private:
  struct Cohort {
    Tensor state;                           // one GroupState
    plan::Tracked<std::int32_t> lr_bits{};  // of the state's rate; NaN where only the device knows
  };
  struct ParameterGroup {
    Parameters parameters;
    float lr;
    Rule rule;
    std::vector<plan::Tracked<int>> cohort_of;  // each parameter's, a place in `cohorts`
    std::vector<Cohort> cohorts;
    Schedule schedule;
    std::int64_t next_step = 0;                // of the schedule
    plan::Tracked<bool> has_schedule = false;  // a recorded step is another one without
  };
  // Parameters of a cohort that have a gradient in this step.
  struct Active {
    int group;
    int cohort;
    std::vector<nn::ParameterSpan> runs;
  };

  const ParameterGroup& group_at(int group) const;
  ParameterGroup& group_at(int group);
  float check_lr(float lr) const;
  // `lr` is the cohort's from here on, whatever it was: no recorded step depends on the old one.
  void write_lr(Cohort& cohort, float lr);
  // Takes the next rate from the group's schedule, if there is one; while a step is captured: gives where it will be.
  BufferRange next_lr(ParameterGroup& group);
  void restore_steps(ParameterGroup& group, const std::vector<std::int32_t>& steps);

  // Splits what must be split.
  std::vector<Active> active_cohorts();
  int split_off(ParameterGroup& group, int cohort);

  void begin_step(const Active& active, const Tensor& stats, const Tensor& scaler_state, BufferRange lr, bool unscale);
  // `working`: of the run's arena; undefined where no fresh working copy exists.
  void update(const Active& active, const nn::ParameterSpan& run, const Tensor& working);
  // Whether the group keeps its rule's state `index`, and the array of it for an arena.
  bool keeps_state(const ParameterGroup& group, int index) const;
  const Tensor& state_array(const nn::ParameterArena& arena, int index) const;

  std::string name_;
  OptimizerRule rule_;
  std::vector<ParameterGroup> groups_;
  std::set<const void*> members_;  // the leaves of all groups
  std::map<std::pair<const nn::ParameterArena*, int>, Tensor> states_;
};

}  // namespace amphora::optim
