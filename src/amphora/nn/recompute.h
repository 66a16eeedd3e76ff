// Recomputation: a module's forward pass keeps nothing for backward(), and runs again when backward() comes to it
// (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). Module::recompute() switches it on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora::nn {

// Runs `forward` off the tape and puts one node on it instead, whose backward function runs `forward` again, on the
// tape, under the autocast region of now and with the same draws. What that records is walked as if it had been there
// from the start, so that gradients have the same bits as without. Where none of x and `parameters` asks for a gradient
// it is just forward(x).
Tensor recomputed(const Tensor& x, const std::vector<Tensor>& parameters, std::function<Tensor(const Tensor&)> forward);

// A number that differs from one forward pass to the next: its value, or where it lies on the device in a recorded
// step.
struct Draw {
  std::uint32_t number = 0;
  BufferRange fed = {};
};

// What a module draws in its forward pass goes through here: gives draw(), or what that gave when the pass ran first.
// Throws StateError when a repeated pass draws more often than the first.
Draw draw_once(const std::function<Draw()>& draw);

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
