// Parameter: an f32 master, its f32 gradient, and 16-bit working copies that stay fresh.
//
// Pass tensor() to ops. Under autocast they read the working copy, which the optimizer writes together with the master;
// when the master was changed by other means (assign, a checkpoint, an average) the copy is refreshed at its next use.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "amphora/plan/tracked.h"
#include "amphora/tensor/tensor.h"

namespace amphora::nn {

// The memory of a set of parameters: one flat array for the masters, one for the gradients, and one for each type of
// working copy in use. Parameters lie one behind the other without gaps.
class ParameterArena : public std::enable_shared_from_this<ParameterArena> {
 public:
  ParameterArena(Device& device, std::int64_t count);

  Device& device() const { return masters_.device(); }
  std::int64_t count() const { return masters_.count(); }
  Tensor master(std::int64_t start, const Shape& shape) const;
  Tensor gradient(std::int64_t start, const Shape& shape) const;
  // A fresh working copy; converts the whole arena first where the masters have changed since.
  Tensor working_copy(DType dtype, std::int64_t start, const Shape& shape);

  // The working copy in use, if it is fresh, for an optimizer that writes masters and copy together; else undefined.
  Tensor fresh_working_copy() const;
  // Called after the masters and fresh_working_copy() were written together.
  void mark_fresh();

  // Whether an optimizer keeps state for this memory by now, so that no parameter may leave it.
  bool is_settled() const { return settled_; }
  void settle() { settled_ = true; }

 private:
  struct WorkingCopy {
    Tensor flat;
    std::uint64_t master_version = 0;
  };
  // Whether the copy holds what the masters hold. A recorded step takes another course where that changes.
  bool is_fresh(std::size_t slot) const;
  Tensor masters_;
  Tensor gradients_;
  std::array<WorkingCopy, 2> copies_;  // f16, bf16
  plan::Tracked<int> latest_ = -1;     // the copy that was used last
  bool settled_ = false;
};

class Parameter {
 public:
  Parameter() = default;
  // Throws Error if the number of values differs from the shape's.
  Parameter(Device& device, std::string name, const Shape& shape, std::span<const float> values);

  bool defined() const { return state_ != nullptr; }
  const std::string& name() const { return state_->name; }
  void set_name(std::string name) const { state_->name = std::move(name); }
  // The master, a leaf of the tape. Throws Error within a forward pass for a parameter that no module has listed.
  const Tensor& tensor() const;
  operator const Tensor&() const { return tensor(); }  // NOLINT(google-explicit-constructor): reads like a tensor
  const Shape& shape() const { return tensor().shape(); }
  std::int64_t count() const { return tensor().count(); }
  Tensor grad() const { return tensor().grad(); }
  Tensor working_copy(DType dtype) const;
  // A frozen parameter gets no gradient and no step.
  void set_requires_grad(bool on) const { tensor().set_requires_grad(on); }
  bool requires_grad() const { return tensor().requires_grad(); }

  // Where the parameter lies; changes when parameters are gathered.
  const std::shared_ptr<ParameterArena>& arena() const {
    state_->moves.depend();
    return state_->arena;
  }
  std::int64_t start() const {
    state_->moves.depend();
    return state_->start;
  }
  bool is_same(const Parameter& other) const { return state_ == other.state_; }
  // It was seen among a module's parts.
  void mark_listed() const { state_->listed = true; }

  // Moves parameters that were not gathered before into one common arena, in the order given, with their values and
  // gradients. The others stay where they are.
  static void gather(std::span<const Parameter> parameters);

 private:
  struct State {
    std::string name;
    Tensor master;
    std::shared_ptr<autograd::Leaf> leaf;
    std::shared_ptr<ParameterArena> arena;
    std::int64_t start = 0;
    plan::Tracked<int> moves = 0;  // a recorded step is right as long as its parameters stay where they are
    bool listed = false;
  };
  void place(const std::shared_ptr<ParameterArena>& arena, std::int64_t start) const;
  std::shared_ptr<State> state_;
};

// A stretch of one arena that belongs to neighbouring parameters.
struct ParameterSpan {
  std::shared_ptr<ParameterArena> arena;
  std::int64_t start = 0;
  std::int64_t count = 0;
  Tensor master() const { return arena->master(start, {count}); }
  Tensor gradient() const { return arena->gradient(start, {count}); }
  bool operator==(const ParameterSpan&) const = default;
};

// The parameters as few runs; with `with_gradient_only`, those without a gradient are left out.
std::vector<ParameterSpan> spans_of(std::span<const Parameter> parameters, bool with_gradient_only);

}  // namespace amphora::nn
