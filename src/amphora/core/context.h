// Context: what holds for the ops of a thread - how they run, where, and who is told of them.
//
// Scopes set a part of it and put back what was there: Autocast, NoGrad, OpPlace and the like are Scoped values with a
// name. A new thread starts with the defaults.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "amphora/core/place.h"

namespace amphora {

namespace amp {
struct Region;
}
namespace autograd {
class Trace;
}
namespace nn {
class DrawScope;
class Module;
}  // namespace nn
namespace plan {
class Recorder;
}

// How ops run. A copy is a snapshot that another pass, or another thread, can resume by assignment.
struct OpMode {
  std::shared_ptr<const amp::Region> autocast;  // null outside of regions
  bool grad = true;                             // whether ops are recorded on the tape
};

struct Context {
  OpMode mode;
  Place place;
  // These live on this thread's stack, and only within their scopes. Null: there is none.
  const nn::Module* module = nullptr;  // whose forward pass runs
  nn::DrawScope* draws = nullptr;      // which notes or repeats random draws
  autograd::Trace* trace = nullptr;
  plan::Recorder* recorder = nullptr;
};

// Of this thread.
Context& context();

// Sets a part of this thread's context while it lives: Scoped off(context().mode.grad, false).
template <class T>
class Scoped {
 public:
  Scoped(T& part, T value) : part_(part), previous_(std::exchange(part, std::move(value))) {}
  Scoped(const Scoped&) = delete;
  Scoped& operator=(const Scoped&) = delete;
  ~Scoped() { part_ = std::move(previous_); }

 private:
  T& part_;
  T previous_;
};

// Names the op that runs in its scope.
class OpPlace {
 public:
  OpPlace(std::string_view phase, std::string_view op)
      : phase_(context().place.phase, phase), op_(context().place.op, op) {}

 private:
  Scoped<std::string_view> phase_;
  Scoped<std::string_view> op_;
};

}  // namespace amphora
