// Recomputation: a module's forward pass keeps nothing for backward(), and runs again when backward() comes to it
// (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). Module::recompute() switches it on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "amphora/autograd/tape.h"
#include "amphora/kernel/call.h"
#include "amphora/tensor/each_tensor.h"
#include "amphora/tensor/tensor.h"

namespace amphora::nn {

// A number that differs from one forward pass to the next: its value, or where it lies on the device in a recorded
// step.
struct Draw {
  std::uint32_t number = 0;
  BufferRange fed = {};
};

// What a module draws in its forward pass goes through here: gives draw(), or what that gave when the pass ran first.
// Throws StateError when a repeated pass draws more often than the first.
Draw draw_once(const std::function<Draw()>& draw);

// One pass that runs twice: off the tape, its draws noted; then in backward(), on the tape, with the same draws and in
// the same mode as now.
class RepeatedPass {
 public:
  void first(const std::function<void()>& pass);
  // Puts one node on the tape, from `inputs` to `outputs`. `again` gives the outputs anew, and what it records is
  // walked as if it had been there from the start.
  void record(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
              std::function<std::vector<Tensor>()> again) const;

 private:
  std::shared_ptr<std::vector<Draw>> draws_ = std::make_shared<std::vector<Draw>>();
};

// The same elements at the same place on the tape, but another object, which no rebind() reaches.
Tensor same_place(const Tensor& x);

// forward(arguments...), of which nothing is kept but copies of the arguments; gradients have the same bits as without.
// Where no tensor among the arguments and `parameters` asks for a gradient it is just forward(arguments...).
template <class Forward, class... Arguments>
auto recomputed(const std::vector<Tensor>& parameters, Forward forward, const Arguments&... arguments) {
  std::tuple<Arguments...> kept(arguments...);
  std::vector<Tensor> inputs;
  each_tensor(kept, [&](Tensor& x) { inputs.push_back(x); });
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  if (!autograd::recording(inputs)) return forward(arguments...);
  each_tensor(kept, [](Tensor& x) { x = same_place(x); });

  RepeatedPass pass;
  std::optional<decltype(forward(arguments...))> result;
  pass.first([&] { result.emplace(forward(arguments...)); });
  std::vector<Tensor> outputs;
  each_tensor(*result, [&](Tensor& y) {
    if (y.defined()) y = y.detach();  // it may have a place on the tape: an input that is passed on
    outputs.push_back(y);
  });
  pass.record(outputs, inputs, [kept = std::move(kept), forward = std::move(forward)] {
    auto again = std::apply(forward, kept);
    std::vector<Tensor> tensors;
    each_tensor(again, [&](const Tensor& y) { tensors.push_back(y); });
    return tensors;
  });
  return std::move(*result);
}

// A place in memory to watch: what is moved or destroyed is no longer there.
class Anchor {
 public:
  Anchor() = default;
  Anchor(Anchor&& other) noexcept { other.mark_.reset(); }
  Anchor& operator=(Anchor&& other) noexcept {
    mark_.reset();
    other.mark_.reset();
    return *this;
  }
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;
  ~Anchor() = default;

  // Expires when the anchor leaves its place.
  std::weak_ptr<const bool> watch() {
    if (mark_ == nullptr) mark_ = std::make_shared<const bool>(true);
    return mark_;
  }

 private:
  std::shared_ptr<const bool> mark_;
};

}  // namespace amphora::nn
