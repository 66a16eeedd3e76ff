// Module: something with parameters and a forward pass. Derive from it, register parameters and submodules in the
// constructor, implement forward(); call the module like a function.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amphora/nn/parameter.h"
#include "amphora/nn/recompute.h"
#include "amphora/tensor/tensor.h"

namespace amphora::nn {

class Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  // Runs forward() under the module's name, so that traces and messages can say where.
  Tensor operator()(const Tensor& x);

  // All parameters, submodules' included, in the order of registration. One that is reached several times (tied
  // weights) appears once.
  std::vector<Parameter> parameters() const;
  // The same with their paths, "layers.0.weight".
  std::vector<std::pair<std::string, Parameter>> named_parameters() const;

  // Training mode is on at first; Dropout passes its input through in evaluation mode.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  // While training, this module keeps nothing but its input for backward(), which runs forward() a second time: less
  // memory for more time. Off at first, and not for submodules: their memory comes back a module at a time, so flag the
  // blocks that a model repeats. forward() must do the same both times (see draw_once()), and the module must stay
  // where it is until backward() is done.
  void recompute(bool on = true) { recompute_ = on; }
  bool is_recomputed() const { return recompute_; }

 protected:
  virtual Tensor forward(const Tensor& x) = 0;
  Parameter register_parameter(Parameter parameter);
  template <class M>
  std::shared_ptr<M> register_module(std::string name, std::shared_ptr<M> module) {
    modules_.push_back(module);
    modules_.back()->name_ = std::move(name);
    return module;
  }
  const std::vector<std::shared_ptr<Module>>& modules() const { return modules_; }

 private:
  void collect(const std::string& prefix, std::vector<std::pair<std::string, Parameter>>& out) const;

  std::string name_;
  plan::Tracked<bool> training_ = true;
  plan::Tracked<bool> recompute_ = false;
  Anchor anchor_;
  std::vector<Parameter> parameters_;
  std::vector<std::shared_ptr<Module>> modules_;
};

}  // namespace amphora::nn
