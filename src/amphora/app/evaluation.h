// Evaluation: while it lives, a model is in evaluation mode, nothing is recorded for a backward pass, and ops run in
// the given precision.
#pragma once

#include "amphora/amp/autocast.h"
#include "amphora/autograd/tape.h"
#include "amphora/device/device.h"
#include "amphora/nn/module.h"

namespace amphora::app {

class Evaluation {
 public:
  Evaluation(nn::Module& model, Precision precision)
      : model_(model), was_training_(model.is_training()), autocast_(precision) {
    model_.eval();
  }
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;
  ~Evaluation() { model_.train(was_training_); }

 private:
  nn::Module& model_;
  bool was_training_;
  autograd::NoGrad no_grad_;
  amp::Autocast autocast_;
};

}  // namespace amphora::app
