#include "amphora/autograd/tape.h"

#include <algorithm>
#include <atomic>
#include <queue>
#include <unordered_map>
#include <utility>

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora::autograd {

namespace {

// Of all threads, so that ops are in order too when one thread continues what another has recorded.
std::atomic<std::uint64_t> next_sequence = 0;

template <class Tensors>
bool any_requires_grad(const Tensors& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return t.requires_grad(); });
}

}  // namespace

Tensor& Leaf::storage(Device& device) {
  if (!gradient.defined()) gradient = Tensor::empty(device, shape, dtype, MemoryKind::gradients);
  return gradient;
}

void Leaf::add(const Tensor& contribution) {
  require(contribution.shape() == shape, "a gradient of shape {} arrived at a leaf of shape {}", contribution.shape(),
          shape);
  Tensor& target = storage(contribution.device());
  if (defined) {
    launch_accumulate(contribution, target);
  } else {
    launch_copy(contribution, target);
  }
  defined = true;
}

Node::~Node() {
  // A long chain of nodes would otherwise be destroyed by as deep a recursion.
  std::vector<Edge> pending = std::move(inputs);
  backward = nullptr;
  while (!pending.empty()) {
    const std::shared_ptr<Node> node = std::move(pending.back().node);
    pending.pop_back();
    if (node == nullptr || node.use_count() > 1) continue;
    node->backward = nullptr;
    std::move(node->inputs.begin(), node->inputs.end(), std::back_inserter(pending));
    node->inputs.clear();
  }
}

bool recording(std::initializer_list<Tensor> inputs) { return grad_enabled() && any_requires_grad(inputs); }
bool recording(const std::vector<Tensor>& inputs) { return grad_enabled() && any_requires_grad(inputs); }

void record(std::string_view name, const Tensor& output, std::initializer_list<Tensor> inputs, Backward backward) {
  record(name, std::vector<Tensor>{output}, std::vector<Tensor>(inputs), std::move(backward));
}

void record(std::string_view name, const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
            Backward backward) {
  if (!recording(inputs)) return;
  auto node = std::make_shared<Node>();
  node->name = name;
  node->where = current_module();
  for (const Tensor& output : outputs) {
    node->outputs.push_back(output.defined() ? Node::Output{output.shape(), output.dtype()} : Node::Output{});
  }
  node->backward = std::move(backward);
  node->sequence = next_sequence++;
  node->inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    const bool on_tape = input.requires_grad();
    node->inputs.push_back(on_tape ? Node::Edge{input.node(), input.output_index(), input.leaf(), &input.device()}
                                   : Node::Edge{});
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].defined() && is_floating(outputs[i].dtype())) outputs[i].set_node(node, static_cast<int>(i));
  }
}

// Walks the tape from an output to the leaves, latest op first. Ops are numbered in the order in which they ran, so
// that an op's consumers all have higher numbers: its gradient is complete when it comes to the top.
class Engine {
 public:
  void run(const Tensor& root, const Tensor& seed) {
    gather(root.node(), root.output_index(), seed);
    while (!queue_.empty()) {
      const std::shared_ptr<Node> node = queue_.top();
      queue_.pop();
      step(*node, take(*node));
    }
  }

  void gather(const std::shared_ptr<Node>& node, int output, const Tensor& gradient) {
    const auto index = static_cast<std::size_t>(output);
    const auto& [shape, dtype] = node->outputs[index];
    require(gradient.shape() == shape, "'{}' was given a gradient of shape {} for its output of shape {}", node->name,
            gradient.shape(), shape);
    auto [entry, is_new] = gathered_.try_emplace(node.get());
    if (is_new) {
      entry->second.resize(node->outputs.size());
      queue_.push(node);
    }
    Gathered& sum = entry->second[index];
    if (!sum.gradient.defined()) {
      sum = {gradient, false};
      return;
    }
    if (!sum.owned) {
      // The first contribution may be shared with another consumer, so it is copied before it is added to.
      Tensor copy = Tensor::empty(gradient.device(), shape, dtype);
      launch_copy(sum.gradient, copy);
      sum = {copy, true};
    }
    launch_accumulate(gradient, sum.gradient);
  }

 private:
  struct Gathered {
    Tensor gradient;
    bool owned = false;
  };
  struct Earlier {
    bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const {
      return a->sequence < b->sequence;
    }
  };

  // The gradients of the node's outputs, in their types.
  std::vector<Tensor> take(const Node& node) {
    const auto entry = gathered_.extract(&node);
    std::vector<Tensor> result;
    for (Gathered& sum : entry.mapped()) {
      Tensor gradient = std::move(sum.gradient);
      const DType dtype = node.outputs[result.size()].dtype;
      if (gradient.defined() && gradient.dtype() != dtype) gradient = converted(gradient, dtype);
      result.push_back(std::move(gradient));
    }
    return result;
  }

  void step(Node& node, const std::vector<Tensor>& arrived) {
    if (!node.backward) {
      throw StateError("backward reached '" + node.name +
                       "' a second time, but its saved tensors were freed by the first; compute the loss again");
    }
    const ModuleScope where = ModuleScope::absolute(node.where);
    const OpPlace place("backward", node.name);
    if (Trace* trace = active_trace()) {
      std::vector<DType> types;
      for (const Tensor& dy : arrived) {
        if (dy.defined()) types.push_back(dy.dtype());
      }
      const DType ran_in = types.front();
      trace->add({.phase = "backward", .op = node.name, .inputs = std::move(types), .ran_in = ran_in});
    }
    Gradients gradients(*this, node, arrived);
    node.backward(arrived.front(), gradients);
    node.backward = nullptr;  // frees what the op saved as soon as it was used
  }

  std::unordered_map<const Node*, std::vector<Gathered>> gathered_;  // an entry for each output
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, Earlier> queue_;
};

bool Gradients::wanted(int input) const {
  const Node::Edge& edge = node_.inputs[static_cast<std::size_t>(input)];
  return edge.node != nullptr || (edge.leaf != nullptr && edge.leaf->wanted);
}

void Gradients::give(int input, const Tensor& gradient) {
  const Node::Edge& edge = node_.inputs[static_cast<std::size_t>(input)];
  if (edge.node != nullptr) {
    engine_.gather(edge.node, edge.output, gradient);
  } else if (edge.leaf != nullptr && edge.leaf->wanted) {
    edge.leaf->add(gradient);
  }
}

std::optional<Gradients::LeafTarget> Gradients::leaf_target(int input) {
  const Node::Edge& edge = node_.inputs[static_cast<std::size_t>(input)];
  if (edge.leaf == nullptr || !edge.leaf->wanted) return std::nullopt;
  LeafTarget result{edge.leaf->storage(*edge.device), edge.leaf->defined};
  edge.leaf->defined = true;
  return result;
}

void Gradients::continue_from(const Tensor& output, const Tensor& gradient) {
  if (!gradient.defined() || !output.requires_grad()) return;
  if (output.node() != nullptr) {
    engine_.gather(output.node(), output.output_index(), gradient);
  } else {
    output.leaf()->add(gradient);
  }
}

}  // namespace amphora::autograd

namespace amphora {

bool Tensor::requires_grad() const { return defined() && (node() != nullptr || (leaf() != nullptr && leaf()->wanted)); }

Tensor Tensor::set_requires_grad(bool on) const {
  if (!on) {
    if (leaf() != nullptr) leaf()->wanted = false;
    if (leaf() != nullptr) leaf()->defined = false;
    return *this;
  }
  require(is_floating(dtype()), "a tensor of type {} has no gradient; only floating types do", name_of(dtype()));
  require(node() == nullptr, "only a leaf can be told to require a gradient; this tensor is the result of '{}'",
          node() ? node()->name : "");
  if (leaf() == nullptr) {
    auto leaf = std::make_shared<autograd::Leaf>();
    leaf->shape = shape();
    leaf->dtype = dtype();
    set_leaf(std::move(leaf));
  }
  leaf()->wanted = true;
  return *this;
}

Tensor Tensor::grad() const { return leaf() != nullptr && leaf()->defined ? leaf()->gradient : Tensor(); }

void Tensor::set_grad(const Tensor& gradient) const {
  require(leaf() != nullptr, "a tensor that does not require a gradient was given one");
  clear_grad();
  leaf()->add(gradient);
}

void Tensor::clear_grad() const {
  if (leaf() != nullptr) leaf()->defined = false;
}

void Tensor::backward() const {
  require(count() == 1, "backward() starts from a scalar, but this tensor has shape {}; pass a seed gradient", shape());
  const OpPlace place("backward", "seed");
  backward(full(device(), shape(), 1.0, dtype()));
}

void Tensor::backward(const Tensor& seed) const {
  require(requires_grad(),
          "backward() on a tensor that is not on the tape: nothing it was computed from requires a gradient");
  if (leaf() != nullptr) {
    leaf()->add(seed);
    return;
  }
  const autograd::NoGrad no_grad;
  autograd::Engine().run(*this, seed);
}

}  // namespace amphora
