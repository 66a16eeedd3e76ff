// The basic layers.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "amphora/core/rng.h"
#include "amphora/kernel/call.h"
#include "amphora/nn/module.h"
#include "amphora/ops/pointwise.h"

namespace amphora::nn {

struct LinearOptions {
  bool bias = true;
  // Applied to the f32 sum inside the product, before the result is rounded.
  Activation activation = Activation::none;
};

// y = activation(x W^T + b): x [.., in], W [out, in], b [out]. Initial values are uniform within 1 / sqrt(in).
class Linear : public Module {
 public:
  Linear(Device& device, RandomSource& random, std::int64_t in, std::int64_t out, LinearOptions options = {});
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }  // empty handle without a bias

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  LinearOptions options_;
  Parameter weight_;
  Parameter bias_;
};

// Zeroes elements with probability `p` while training. Each call draws a mask of its own.
class Dropout : public Module {
 public:
  Dropout(RandomSource& random, float p);

 protected:
  Tensor forward(const Tensor& x) override;

 private:
  Draw next_call();

  RandomStream stream_;
  float p_;
  std::shared_ptr<std::uint32_t> calls_ = std::make_shared<std::uint32_t>(0);  // shared with recorded steps
};

// A pointwise function as a module.
template <Tensor (*kFunction)(const Tensor&)>
class Pointwise : public Module {
 protected:
  Tensor forward(const Tensor& x) override { return kFunction(x); }
};
using ReLU = Pointwise<relu>;
using GELU = Pointwise<gelu>;
using SiLU = Pointwise<silu>;
using Sigmoid = Pointwise<sigmoid>;
using Tanh = Pointwise<tanh>;

// Runs modules one after the other; they are named by their position.
class Sequential : public Module {
 public:
  template <class... Modules>
  requires(std::is_base_of_v<Module, Modules>&&...) explicit Sequential(Modules... modules) {
    (add(std::make_shared<Modules>(std::move(modules))), ...);
  }
  void add(std::shared_ptr<Module> module);

 protected:
  Tensor forward(const Tensor& x) override;
};

}  // namespace amphora::nn
