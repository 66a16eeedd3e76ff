#include "amphora/nn/recompute.h"

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"

namespace amphora::nn {

// The draws of the forward pass that runs in its scope: noted, or given again. A noting scope may lie in a repeating
// one, where a module that is recomputed holds another one.
class DrawScope {
 public:
  enum class Mode { note, repeat };

  DrawScope(Mode mode, std::vector<Draw>& draws)
      : mode_(mode), draws_(draws), outer_(context().draws), innermost_(context().draws, this) {}

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
  Scoped<DrawScope*> innermost_;
};

Draw draw_once(const std::function<Draw()>& draw) {
  DrawScope* scope = context().draws;
  return scope != nullptr ? scope->take(draw) : draw();
}

void RepeatedPass::first(const std::function<void()>& pass) {
  const autograd::NoGrad off_the_tape;
  const DrawScope noting(DrawScope::Mode::note, *draws_);
  pass();
}

void RepeatedPass::record(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                          std::function<std::vector<Tensor>()> again) const {
  autograd::record("recompute", outputs, inputs,
                   [draws = draws_, count = outputs.size(), again = std::move(again), mode = context().mode](
                       const Tensor& /*dy*/, autograd::Gradients& gradients) {
                     std::vector<Tensor> recomputed;
                     {
                       const Scoped as_before(context().mode, mode);
                       const Scoped recomputing(context().place.recomputes, true);
                       DrawScope repeating(DrawScope::Mode::repeat, *draws);
                       recomputed = again();
                       repeating.require_all_taken();
                     }
                     if (recomputed.size() != count) {
                       throw StateError(fmt::format("a forward pass gave {} tensors, but {} when it was recomputed",
                                                    count, recomputed.size()));
                     }
                     for (std::size_t i = 0; i < count; ++i) {
                       gradients.continue_from(recomputed[i], gradients.of_output(i));
                     }
                   });
}

Tensor same_place(const Tensor& x) {
  if (!x.defined()) return x;
  Tensor result = x.detach();
  result.set_node(x.node(), x.output_index());
  result.set_leaf(x.leaf());
  return result;
}

}  // namespace amphora::nn
