#include "amphora/nn/recompute.h"

#include <utility>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/error.h"
#include "amphora/core/place.h"

namespace amphora::nn {

namespace {

class DrawScope;
thread_local DrawScope* innermost = nullptr;

// The draws of the forward pass that runs in its scope: noted, or given again. A noting scope may lie in a repeating
// one, where a module that is recomputed holds another one.
class DrawScope {
 public:
  enum class Mode { note, repeat };

  DrawScope(Mode mode, std::vector<Draw>& draws) : mode_(mode), draws_(draws), outer_(std::exchange(innermost, this)) {}
  DrawScope(const DrawScope&) = delete;
  DrawScope& operator=(const DrawScope&) = delete;
  ~DrawScope() { innermost = outer_; }

  Draw take(const std::function<Draw()>& draw) {
    if (mode_ == Mode::note) return draws_.emplace_back(outer_ != nullptr ? outer_->take(draw) : draw());
    if (next_ == draws_.size()) complain("more");
    return draws_[next_++];
  }
  void require_all_taken() const {
    if (next_ != draws_.size()) complain("fewer");
  }

 private:
  [[noreturn]] void complain(const char* how) const {
    const std::string& module = autograd::current_module();
    throw StateError(
        fmt::format("the forward pass of {} drew {} random numbers when it ran first, but {} when it was recomputed; "
                    "keep its mode and its branches until backward() is done",
                    module.empty() ? "a module" : module, draws_.size(), how));
  }

  Mode mode_;
  std::vector<Draw>& draws_;
  std::size_t next_ = 0;
  DrawScope* outer_;
};

class Recomputing {
 public:
  Recomputing() : previous_(std::exchange(current_place().recomputes, true)) {}
  Recomputing(const Recomputing&) = delete;
  Recomputing& operator=(const Recomputing&) = delete;
  ~Recomputing() { current_place().recomputes = previous_; }

 private:
  bool previous_;
};

// The same elements at the same place on the tape, but another object, which no rebind() reaches.
Tensor on_tape(const Tensor& x) {
  Tensor result = x.detach();
  result.set_node(x.node());
  result.set_leaf(x.leaf());
  return result;
}

}  // namespace

Draw draw_once(const std::function<Draw()>& draw) { return innermost != nullptr ? innermost->take(draw) : draw(); }

Tensor recomputed(const Tensor& x, const std::vector<Tensor>& parameters,
                  std::function<Tensor(const Tensor&)> forward) {
  std::vector<Tensor> inputs = {x};
  inputs.insert(inputs.end(), parameters.begin(), parameters.end());
  if (!autograd::recording(inputs)) return forward(x);

  const auto draws = std::make_shared<std::vector<Draw>>();
  Tensor y;
  {
    const autograd::NoGrad off_the_tape;
    const DrawScope noting(DrawScope::Mode::note, *draws);
    y = forward(x).detach();  // what forward gives may have a place on the tape: its very input
  }
  autograd::record("recompute", y, inputs,
                   [draws, x = on_tape(x), forward = std::move(forward), region = amp::current_region()](
                       const Tensor& dy, autograd::Gradients& gradients) {
                     Tensor again;
                     {
                       const amp::ResumeRegion policy(region);
                       const Recomputing recomputing;
                       const autograd::EnableGrad tape;
                       const DrawScope repeating(DrawScope::Mode::repeat, *draws);
                       again = forward(x);
                       repeating.require_all_taken();
                     }
                     gradients.continue_from(again, dy);
                   });
  return y;
}

}  // namespace amphora::nn
