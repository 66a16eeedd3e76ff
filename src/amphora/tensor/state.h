// StateVisitor: sees all that a training run must keep to go on later as if it had never stopped.
//
// Whoever has such state - modules, optimizers, the GradScaler, averages, schedules, dropout, loaders - names it in one
// function, `void visit_state(StateVisitor& visitor)`. A writer copies what it is shown, a reader overwrites it; so
// that the names and their order stand in one place. Device memory is shown as a tensor, or is downloaded, shown as
// numbers and, where the visitor restores, uploaded again.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "amphora/core/error.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

class StateVisitor {
 public:
  StateVisitor() = default;
  StateVisitor(const StateVisitor&) = delete;
  StateVisitor& operator=(const StateVisitor&) = delete;
  virtual ~StateVisitor() = default;

  // Whether what is shown is overwritten with what was kept.
  virtual bool restores() const = 0;

  // Each name must differ within its scope.
  void tensor(std::string_view name, const Tensor& value) { do_tensor(path(name), value); }
  void number(std::string_view name, double& value) { do_number(path(name), value); }
  void integer(std::string_view name, std::int64_t& value) { do_integer(path(name), value); }
  // The same for narrower types. Throws Error for a kept integer that does not fit.
  template <std::floating_point T>
  void number(std::string_view name, T& value) {
    double wide = value;
    number(name, wide);
    if (restores()) value = static_cast<T>(wide);
  }
  template <std::integral T>
  void integer(std::string_view name, T& value) {
    std::int64_t wide = value;
    integer(name, wide);
    if (!restores()) return;
    require(std::in_range<T>(wide), "'{}' is {}, which is out of range", path(name), wide);
    value = static_cast<T>(wide);
  }

  // While it lives, names are "NAME.name".
  class Scope {
   public:
    Scope(StateVisitor& visitor, std::string_view name)
        : visitor_(visitor), outer_(std::exchange(visitor.prefix_, visitor.path(name) + ".")) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { visitor_.prefix_ = outer_; }

   private:
    StateVisitor& visitor_;
    std::string outer_;
  };

 protected:
  virtual void do_tensor(const std::string& path, const Tensor& value) = 0;
  virtual void do_number(const std::string& path, double& value) = 0;
  virtual void do_integer(const std::string& path, std::int64_t& value) = 0;

 private:
  std::string path(std::string_view name) const { return prefix_ + std::string(name); }
  std::string prefix_;
};

}  // namespace amphora
