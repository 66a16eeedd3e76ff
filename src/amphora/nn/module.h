// Module: something with parts - parameters, buffers, submodules - and a forward pass of any signature.
//
//   class Block : public nn::Callable<Tensor(const Tensor& x, const Tensor& mask)> {
//    public:
//     explicit Block(const nn::Init& init) : up_(init, 64, 256), down_(init, 256, 64) {}
//     void visit_parts(nn::PartVisitor& visit) override {
//       visit("up", up_);
//       visit("down", down_);
//     }
//
//    protected:
//     Tensor forward(const Tensor& x, const Tensor& mask) override { return x + down_(relu(up_(x))) * mask; }
//
//    private:
//     nn::Linear up_;
//     nn::Linear down_;
//   };
//
//   y = block(x, mask);
//
// Parts are ordinary members. visit_parts() lists them, and that one list serves parameters, names, training mode,
// freezing, recomputation and saved state.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/nn/parts.h"
#include "amphora/nn/recompute.h"
#include "amphora/plan/tracked.h"
#include "amphora/tensor/state.h"

namespace amphora::nn {

class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  // Shows each part to the visitor. A parameter that is left out would be neither trained nor saved: using one in a
  // forward pass is an Error, and so is calling a module that another one runs without listing it, if it would train.
  virtual void visit_parts(PartVisitor& /*visit*/) {}

  // All parts, submodules' included, in the order of visit_parts(). One that is reached several times (tied weights)
  // appears once, under its first path. Throws Error where two parts have the same path.
  std::vector<NamedPart> named_parts();
  // The parameters among them, which from now on go by their paths, "layers.0.weight".
  std::vector<Parameter> parameters();
  std::vector<std::pair<std::string, Parameter>> named_parameters();
  // This module and all below it.
  std::vector<Module*> modules();
  // A table of parameters and buffers with their shapes and numbers of elements, and the totals.
  std::string summary();
  // Parameters (masters), buffers and counters, by their paths.
  void visit_state(StateVisitor& visitor);

  // Training mode is on at first; Dropout passes its input through in evaluation mode.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  // Freezes all parameters, or thaws them.
  void set_requires_grad(bool on);

  // While training, this module keeps nothing but its arguments for backward(), which runs forward() a second time:
  // less memory for more time. Off at first, and not for submodules: their memory comes back a module at a time, so
  // flag the blocks that a model repeats. forward() must do the same both times (see draw_once()), and the module must
  // stay where it is until backward() is done.
  void recompute(bool on = true) { recompute_ = on; }
  bool is_recomputed() const { return recompute_; }

 protected:
  // Around a forward pass: traces and messages can say where, parts are listed.
  class CallScope {
   public:
    explicit CallScope(Module& module);

   private:
    autograd::ModuleScope path_;
    Scoped<const Module*> running_;
  };

  // Whether a forward pass that starts now runs again in backward().
  bool is_repeated() const;
  // What throws StateError once this module has been moved or destroyed.
  std::function<void()> presence();
  std::vector<Tensor> parameter_tensors();

 private:
  friend class PartVisitor;
  const std::string& begin_call();

  std::string name_;  // among its owner's parts; empty until it is listed
  plan::Tracked<bool> training_ = true;
  plan::Tracked<bool> recompute_ = false;
  Anchor anchor_;
};

template <class Signature>
class Callable;

// A module that is called like a function of this signature. Arguments are values or const references; tensors may
// stand in tuples, ranges, optionals and structs, as each_tensor() finds them.
template <class Result, class... Arguments>
class Callable<Result(Arguments...)> : public Module {
 public:
  Result operator()(Arguments... arguments) {
    static_assert(kShowsTensors<Result>,
                  "a module gives a Tensor, a tuple, a range or an optional of them, or a struct with tensors()");
    const CallScope scope(*this);
    if (!is_repeated()) return forward(std::forward<Arguments>(arguments)...);
    const auto again = [this, present = presence()](const auto&... kept) {
      present();
      return forward(kept...);
    };
    return recomputed(parameter_tensors(), again, arguments...);
  }

 protected:
  virtual Result forward(Arguments... arguments) = 0;
};

// A tensor in, a tensor out.
using Layer = Callable<Tensor(const Tensor& x)>;

}  // namespace amphora::nn
