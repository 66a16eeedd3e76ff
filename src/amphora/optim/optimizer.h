// Optimizers on f32 masters. One launch for each stretch of neighbouring parameters reads gradient, master and state,
// and writes master, state and the 16-bit working copy together.
//
// Learning rate, step counters and the decision to skip live on the device; nothing here waits, except where said.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "amphora/amp/gradient_owner.h"
#include "amphora/core/place.h"
#include "amphora/kernel/call.h"
#include "amphora/nn/parameter.h"
#include "amphora/optim/schedule.h"

namespace amphora::optim {

using Parameters = std::vector<nn::Parameter>;

// The rounding error of the nearest f32: both together carry twice the digits into a kernel.
float low_part(double value);

class Optimizer : public amp::GradientOwner {
 public:
  // Forgets all gradients. The next backward() overwrites them, so nothing is filled with zeros.
  void zero_grad();
  // A step without a GradScaler. Parameters without a gradient stay as they are.
  void step() { apply({}, {}, false); }

  void set_lr(float lr);  // of every group
  void set_lr(int group, float lr);
  float lr(int group = 0) const { return group_at(group).lr; }
  // From now on each step takes its rate, for all groups, from the schedule; its first number is `next_step`. A
  // recorded step asks the schedule anew each time it is replayed.
  void follow(Schedule schedule, std::int64_t next_step = 0);
  int group_count() const { return static_cast<int>(groups_.size()); }

  // Steps that were applied, skipped ones not counted. Waits.
  int steps(int group = 0, CodeLine where = CodeLine::current()) const;
  // The parameter's part of the state called `name` ("momentum", "m", "v"). Throws Error for another name.
  Tensor state(const nn::Parameter& parameter, const std::string& name) const;

  std::vector<Tensor> gradients() const override;
  void apply(const Tensor& stats, const Tensor& scaler_state, bool unscale) override;

 protected:
  struct Group {
    Parameters parameters;
    float lr;
    Tensor state;  // one GroupState
  };
  struct Betas {
    double beta1 = 0.0;
    double beta2 = 0.0;
  };

  Optimizer(std::string name, std::vector<std::string> state_names);
  // Adds a group and gathers its parameters into one arena. Throws Error when there are none, when one is in the
  // optimizer already, or the rate is not a finite number of at least 0.
  void add_group(const Parameters& parameters, float lr);

  // Queues the update kernel of one run; `working` is undefined where no fresh working copy exists.
  virtual void launch_update(int group, const nn::ParameterSpan& run, const Tensor& working) = 0;
  virtual Betas betas(int /*group*/) const { return {}; }

  const Group& group_at(int group) const;
  // A run's part of a state array.
  Tensor state_of(const nn::ParameterSpan& run, const std::string& name) const;

 private:
  float check_lr(float lr) const;
  void write_lr(Group& group, float lr);
  // Takes the next rate from the schedule, if there is one; while a step is captured: gives where it will be.
  BufferRange next_lr();

  std::string name_;
  std::vector<std::string> state_names_;
  Schedule schedule_;
  std::int64_t next_step_ = 0;  // of the schedule
  std::vector<Group> groups_;
  std::set<const void*> members_;  // the leaves of all groups
  std::map<std::pair<const nn::ParameterArena*, std::string>, Tensor> states_;
};

}  // namespace amphora::optim
