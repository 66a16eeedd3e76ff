#include "amphora/nn/module.h"

#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/io/table.h"

namespace amphora::nn {

namespace {

bool is_same(const Part& a, const Part& b) {
  const auto compare = [](const auto& x, const auto& y) {
    if constexpr (!std::is_same_v<decltype(x), decltype(y)>) {
      return false;
    } else if constexpr (std::is_pointer_v<std::remove_cvref_t<decltype(x)>>) {
      return x == y;
    } else {
      return x.is_same(y);
    }
  };
  return std::visit(compare, a, b);
}

// Walks down through submodules.
class Collector : public PartVisitor {
 public:
  std::vector<NamedPart> take() { return std::move(parts_); }

 private:
  void see(std::string_view name, const Part& part) override {
    std::string path = prefix_ + std::string(name);
    for (const NamedPart& known : parts_) {
      if (is_same(known.part, part)) return;
      require(known.path != path, "two parts of a module are called '{}'", path);
    }
    parts_.push_back({path, part});
    if (Module* const* module = std::get_if<Module*>(&part)) {
      const std::string outer = std::exchange(prefix_, path + '.');
      (*module)->visit_parts(*this);
      prefix_ = outer;
    }
  }

  std::string prefix_;
  std::vector<NamedPart> parts_;
};

}  // namespace

void PartVisitor::operator()(std::string_view name, const Parameter& parameter) {
  if (!parameter.defined()) return;
  parameter.mark_listed();
  see(name, parameter);
}

void PartVisitor::operator()(std::string_view name, const Tensor& buffer) {
  if (buffer.defined()) see(name, buffer);
}

void PartVisitor::operator()(std::string_view name, std::uint32_t& counter) { see(name, &counter); }

void PartVisitor::operator()(std::string_view name, Module& module) {
  if (module.name_ != name) module.name_ = name;
  see(name, &module);
}

std::vector<NamedPart> Module::named_parts() {
  Collector collector;
  visit_parts(collector);
  return collector.take();
}

std::vector<std::pair<std::string, Parameter>> Module::named_parameters() {
  std::vector<std::pair<std::string, Parameter>> result;
  for (const auto& [path, part] : named_parts()) {
    const auto* parameter = std::get_if<Parameter>(&part);
    if (parameter == nullptr) continue;
    // A path from further out says more; a submodule's own list does not take it back.
    if (path.size() > parameter->name().size()) parameter->set_name(path);
    result.emplace_back(path, *parameter);
  }
  return result;
}

std::vector<Parameter> Module::parameters() {
  std::vector<Parameter> result;
  for (auto& [path, parameter] : named_parameters()) result.push_back(parameter);
  return result;
}

std::vector<Module*> Module::modules() {
  std::vector<Module*> result = {this};
  for (const auto& [path, part] : named_parts()) {
    if (Module* const* module = std::get_if<Module*>(&part)) result.push_back(*module);
  }
  return result;
}

std::string Module::summary() {
  std::vector<io::Row> rows = {{"part", "shape", "elements", ""}};
  std::int64_t total = 0;
  std::int64_t trained = 0;
  for (const auto& [path, part] : named_parts()) {
    if (const auto* parameter = std::get_if<Parameter>(&part)) {
      const bool trains = parameter->tensor().requires_grad();
      rows.push_back({path, parameter->shape().str(), std::to_string(parameter->count()), trains ? "" : "frozen"});
      total += parameter->count();
      if (trains) trained += parameter->count();
    } else if (const auto* buffer = std::get_if<Tensor>(&part)) {
      rows.push_back({path, buffer->shape().str(), std::to_string(buffer->count()), "buffer"});
    }
  }
  return io::table(rows, "llrl") + fmt::format("{} parameters, {} of them trained\n", total, trained);
}

void Module::visit_state(StateVisitor& visitor) {
  for (const auto& [path, part] : named_parts()) {
    if (const auto* parameter = std::get_if<Parameter>(&part)) visitor.tensor(path, parameter->tensor());
    if (const auto* buffer = std::get_if<Tensor>(&part)) visitor.tensor(path, *buffer);
    if (std::uint32_t* const* counter = std::get_if<std::uint32_t*>(&part)) visitor.integer(path, **counter);
  }
}

void Module::train(bool on) {
  for (Module* module : modules()) module->training_ = on;
}

void Module::set_requires_grad(bool on) {
  for (const Parameter& parameter : parameters()) parameter.set_requires_grad(on);
}

Module::CallScope::CallScope(Module& module) : path_(module.begin_call()), running_(context().module, &module) {}

const std::string& Module::begin_call() {
  PartVisitor lists;
  visit_parts(lists);
  const bool unlisted = name_.empty() && context().module != nullptr;
  if (unlisted && autograd::grad_enabled()) {
    for (const Parameter& parameter : parameters()) {
      const std::string& caller = autograd::current_module();
      require(!parameter.requires_grad(),
              "a module with the parameter '{}' is called by {}, but is not listed in any visit_parts(), so that it "
              "would be neither trained nor saved; list it there, or freeze it",
              parameter.name(), caller.empty() ? "another one" : "'" + caller + "'");
    }
  }
  return name_;
}

bool Module::is_repeated() const { return recompute_ && training_ && autograd::grad_enabled(); }

std::function<void()> Module::presence() {
  return [here = anchor_.watch()] {
    if (here.expired()) throw StateError("a module was moved or destroyed before backward() could recompute it");
  };
}

std::vector<Tensor> Module::parameter_tensors() {
  std::vector<Tensor> result;
  for (const Parameter& parameter : parameters()) result.push_back(parameter.tensor());
  return result;
}

}  // namespace amphora::nn
