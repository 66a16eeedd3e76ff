// Exponential moving average of the masters (Polyak & Juditsky 1992; decay as in Tarvainen & Valpola 2017).
#pragma once

#include <vector>

#include "amphora/nn/parameter.h"
#include "amphora/tensor/state.h"

namespace amphora::optim {

class Ema {
 public:
  // Starts as a copy of the parameters. Where an optimizer that is made later moves them into memory of its own, the
  // averages follow at the next call. Throws Error unless 0 <= decay < 1.
  Ema(std::vector<nn::Parameter> parameters, float decay);

  // average += (1 - decay) * (master - average), after an optimizer step.
  void update();
  // Exchanges masters and averages; a second call changes them back. Working copies follow by themselves.
  void swap();
  // The parameter's average.
  Tensor average(const nn::Parameter& parameter);
  // The averages, by the parameters' names, which must differ then: Module::parameters() makes them paths.
  void visit_state(StateVisitor& visitor);

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
  // Lays the averages out as the parameters lie now, which takes one launch for each stretch of them.
  void follow_parameters();

  std::vector<nn::Parameter> parameters_;
  std::vector<Average> averages_;
  float decay_;
};

}  // namespace amphora::optim
