// A small training run that leaves behind everything that must not depend on the backend, and what may within bounds.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "amphora/amp/autocast.h"
#include "amphora/device/device.h"

namespace amphora::conformance {

struct TrainingRun {
  std::vector<float> initial_weights;
  std::vector<float> images;  // of the first epoch's batches, one behind the other
  // A step each:
  std::vector<double> losses;
  std::vector<double> gradient_norms;  // unscaled; not finite where the step was skipped
  std::vector<double> largest_logits;
  std::vector<float> scales;  // after the step
  std::vector<bool> skipped;
};

constexpr int kTrainingSteps = 200;
constexpr float kTrainingRate = 0.005f;  // of gradient descent with momentum
constexpr float kTrainingMomentum = 0.9f;

// 200 steps of an MLP 64-32-10 with dropout, the loss scale so high at first that gradients overflow in any precision.
TrainingRun train_small(Device& device, Precision precision);

// How far the losses of two backends may lie apart at each step; see training.cpp for the reasons.
std::vector<double> loss_bounds(const TrainingRun& reference, Precision precision);

// What a step of a model with many kinds of ops does, and in which types: an explanation as `./run explain` prints it.
std::string explain_small(Device& device, Precision precision, std::initializer_list<amp::RuleOverride> overrides = {});

// The same text in a region of the 16-bit type `low`, written down once and for all.
std::string expected_explanation(DType low);

// The lines in which two explanations differ, however wide their columns are.
std::vector<std::string> differing_lines(const std::string& expected, const std::string& actual);

}  // namespace amphora::conformance
