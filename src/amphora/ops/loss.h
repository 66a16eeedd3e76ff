// Losses. Each is computed in f32 and gives f32, whatever the type of its inputs; gradients have the inputs' types.
#pragma once

#include "amphora/tensor/tensor.h"

namespace amphora {

enum class LossReduction : std::uint8_t { mean, sum, none };

// -log softmax(logits)[target]: logits [N, classes], targets [N] of i32. A target outside of [0, classes) makes its
// row's loss NaN and its gradient zero, rather than reading memory that it should not.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, LossReduction reduction = LossReduction::mean);
// (prediction - target)^2
Tensor mse_loss(const Tensor& prediction, const Tensor& target, LossReduction reduction = LossReduction::mean);
// -[t log s + (1 - t) log(1 - s)] with s = sigmoid(logits)
Tensor bce_with_logits(const Tensor& logits, const Tensor& target, LossReduction reduction = LossReduction::mean);
// The same on probabilities, logarithms held above -100. Throws Error under autocast: use bce_with_logits there.
Tensor bce(const Tensor& probabilities, const Tensor& target, LossReduction reduction = LossReduction::mean);

}  // namespace amphora
