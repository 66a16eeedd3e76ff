// Exponential moving average of the masters (Polyak & Juditsky 1992; decay as in Tarvainen & Valpola 2017).
#pragma once

#include <vector>

#include "amphora/nn/parameter.h"
#include "amphora/tensor/state.h"

namespace amphora::optim {

class Ema {
 public:
  // Starts as a copy of the parameters. Create it after the optimizer, which moves them into memory of its own; the
  // calls below throw Error when that happened later. Throws Error unless 0 <= decay < 1.
  Ema(std::vector<nn::Parameter> parameters, float decay);

  // average += (1 - decay) * (master - average), after an optimizer step.
  void update();
  // Exchanges masters and averages; a second call changes them back. Working copies follow by themselves.
  void swap();
  // The parameter's average.
  Tensor average(const nn::Parameter& parameter) const;
  // The averages, by the parameters' names, which must differ then: Module::parameters() makes them paths.
  void visit_state(StateVisitor& visitor) const;

  // Evaluates with the averages while it lives.
  class Scope {
   public:
    explicit Scope(Ema& ema) : ema_(ema) { ema_.swap(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { ema_.swap(); }

   private:
    Ema& ema_;
  };

 private:
  struct Average {
    nn::ParameterSpan run;
    Tensor value;
  };
  void require_in_place() const;

  std::vector<nn::Parameter> parameters_;
  std::vector<Average> averages_;
  float decay_;
};

}  // namespace amphora::optim
