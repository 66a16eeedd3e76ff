#include "amphora/nn/module.h"

#include <algorithm>

#include "amphora/autograd/tape.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/error.h"

namespace amphora::nn {

Tensor Module::operator()(const Tensor& x) {
  const autograd::ModuleScope scope(name_);
  if (!recompute_ || !training_ || !autograd::grad_enabled()) return forward(x);
  const std::vector<Parameter> own = parameters();
  return recomputed(x, {own.begin(), own.end()}, [this, here = anchor_.watch()](const Tensor& input) {
    if (here.expired()) throw StateError("a module was moved or destroyed before backward() could recompute it");
    return forward(input);
  });
}

std::vector<Parameter> Module::parameters() const {
  std::vector<Parameter> result;
  for (auto& [path, parameter] : named_parameters()) result.push_back(parameter);
  return result;
}

std::vector<std::pair<std::string, Parameter>> Module::named_parameters() const {
  std::vector<std::pair<std::string, Parameter>> result;
  collect("", result);
  return result;
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& module : modules_) module->train(on);
}

Parameter Module::register_parameter(Parameter parameter) {
  parameters_.push_back(parameter);
  return parameter;
}

void Module::collect(const std::string& prefix, std::vector<std::pair<std::string, Parameter>>& out) const {
  for (const Parameter& parameter : parameters_) {
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& e) { return e.second.is_same(parameter); });
    if (!known) out.emplace_back(prefix + parameter.name(), parameter);
  }
  for (const auto& module : modules_) module->collect(prefix + module->name_ + ".", out);
}

}  // namespace amphora::nn
