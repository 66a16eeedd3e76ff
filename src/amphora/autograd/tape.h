// The tape: what backward() walks.
//
// An op that has a differentiable input records a Node with its output. Backward never asks the precision policy: it
// runs in the types that the forward pass left on the tape. A gradient that arrives in another type than its tensor's
// is converted; a leaf's gradient has the leaf's type, f32 for parameters whatever type their working copies have.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amphora/core/context.h"
#include "amphora/plan/tracked.h"
#include "amphora/tensor/tensor.h"

namespace amphora::autograd {

// Where the gradient of a leaf gathers. `gradient` may be memory that the leaf's owner chose; it holds a value only
// while `defined`, so that the first write needs no zero-fill before it.
struct Leaf {
  Shape shape;
  DType dtype = DType::f32;
  Tensor gradient;
  plan::Tracked<bool> defined = false;
  plan::Tracked<bool> wanted =
      true;  // false: frozen; nothing is recorded for its sake, and what was recorded gives it nothing
  // Gives a copy of the leaf's value in a lower type that its owner keeps fresh; empty: there is none.
  std::function<Tensor(DType)> working_copy;

  // The memory to write a gradient into, allocated at the first use.
  Tensor& storage(Device& device);
  void add(const Tensor& contribution);
};

// Where one node's backward function puts its results. Inputs are numbered as they were recorded.
class Gradients {
 public:
  // Whether anyone asks for the gradient of this input.
  bool wanted(int input) const;
  void give(int input, const Tensor& gradient);

  // A kernel that can add its result into memory by itself writes straight into a leaf's gradient: `target` is that
  // memory, and `accumulate` says whether it holds a value to add to. Nothing for an input that is no leaf.
  struct LeafTarget {
    Tensor target;
    bool accumulate;
  };
  std::optional<LeafTarget> leaf_target(int input);

  // What arrived for an output of the node, for nodes with several; undefined where nothing did.
  const Tensor& of_output(std::size_t output) const { return arrived_[output]; }

  // Goes on from `output`, which the node has computed anew: what stands behind it on the tape is walked as if it had
  // been recorded in the node's place. Nothing happens for an undefined gradient.
  void continue_from(const Tensor& output, const Tensor& gradient);

 private:
  friend class Engine;
  class Engine& engine_;
  const Node& node_;
  const std::vector<Tensor>& arrived_;
  Gradients(class Engine& engine, const Node& node, const std::vector<Tensor>& arrived)
      : engine_(engine), node_(node), arrived_(arrived) {}
};

// `dy` is the gradient of the node's first output, undefined where none arrived.
using Backward = std::function<void(const Tensor& dy, Gradients& gradients)>;

// One recorded op.
class Node {
 public:
  struct Output {
    Shape shape;
    DType dtype = DType::f32;
  };
  struct Edge {
    std::shared_ptr<Node> node;
    int output = 0;  // of `node`
    std::shared_ptr<Leaf> leaf;
    Device* device = nullptr;
  };

  ~Node();

  std::string name;   // "linear"
  std::string where;  // the module path at the time of the call, "layers.0"
  std::vector<Output> outputs;
  std::vector<Edge> inputs;
  Backward backward;  // empty once it ran
  std::uint64_t sequence = 0;
};

// Puts `output` on the tape as the result of an op on `inputs`, when recording is on and an input asks for a gradient.
// `backward` must hold what it needs by value, detached, and never `output` itself.
void record(std::string_view name, const Tensor& output, std::initializer_list<Tensor> inputs, Backward backward);
// The same with several outputs, of which undefined ones and integers stay off the tape.
void record(std::string_view name, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
            Backward backward);
// Whether record() would record an op on these inputs.
bool recording(std::initializer_list<Tensor> inputs);
bool recording(const std::vector<Tensor>& inputs);

inline bool grad_enabled() { return context().mode.grad; }

// Turns recording off in its scope, in this thread.
class NoGrad : Scoped<bool> {
 public:
  NoGrad() : Scoped(context().mode.grad, false) {}
};

// Turns it on again, within a NoGrad.
class EnableGrad : Scoped<bool> {
 public:
  EnableGrad() : Scoped(context().mode.grad, true) {}
};

}  // namespace amphora::autograd
