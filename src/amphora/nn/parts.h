// What a module consists of, named in one place: Module::visit_parts().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "amphora/nn/parameter.h"
#include "amphora/tensor/tensor.h"

namespace amphora::nn {

class Module;

// A parameter, which is trained; a buffer, a tensor that is kept with it but not trained, such as running statistics; a
// counter; a submodule.
using Part = std::variant<Parameter, Tensor, std::uint32_t*, Module*>;

struct NamedPart {
  std::string path;  // "layers.0.weight"
  Part part;
};

// Is shown each part of one module under a name that no other part of it has:
//
//   void visit_parts(PartVisitor& visit) override {
//     visit("norm", norm_);
//     visit("heads", heads_);  // a std::vector: heads.0, heads.1, ...
//     visit("mean", mean_);
//   }
//
// An undefined parameter or buffer and a null pointer are no parts. Being shown marks a part as listed.
class PartVisitor {
 public:
  PartVisitor() = default;
  PartVisitor(const PartVisitor&) = delete;
  PartVisitor& operator=(const PartVisitor&) = delete;
  virtual ~PartVisitor() = default;

  void operator()(std::string_view name, const Parameter& parameter);
  void operator()(std::string_view name, const Tensor& buffer);
  void operator()(std::string_view name, std::uint32_t& counter);
  void operator()(std::string_view name, Module& module);

  template <class M>
  void operator()(std::string_view name, const std::shared_ptr<M>& part) {
    if (part != nullptr) (*this)(name, *part);
  }
  template <class M>
  void operator()(std::string_view name, const std::unique_ptr<M>& part) {
    if (part != nullptr) (*this)(name, *part);
  }
  template <class P>
  void operator()(std::string_view name, std::vector<P>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) (*this)(std::string(name) + '.' + std::to_string(i), parts[i]);
  }
  // Parts that are named by their position alone.
  template <class P>
  void list(std::vector<P>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) (*this)(std::to_string(i), parts[i]);
  }

 private:
  virtual void see(std::string_view /*name*/, const Part& /*part*/) {}
};

}  // namespace amphora::nn
