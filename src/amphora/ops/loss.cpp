#include "amphora/ops/loss.h"

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/device/device.h"
#include "amphora/kernel/call.h"
#include "amphora/ops/op.h"
#include "amphora/ops/pointwise.h"
#include "amphora/ops/reduce.h"

namespace amphora {

namespace {

using autograd::Gradients;

Tensor reduce_loss(const Tensor& elements, LossReduction reduction) {
  switch (reduction) {
    case LossReduction::mean: return mean(elements);
    case LossReduction::sum: return sum(elements);
    case LossReduction::none: return elements;
  }
  return elements;
}

Tensor elementwise_loss(std::string_view name, BinaryFunction function, const Tensor& a, const Tensor& b,
                        LossReduction reduction) {
  require(a.shape() == b.shape(), "'{}' of shapes {} and {}; they must be equal", name, a.shape(), b.shape());
  return reduce_loss(ops::binary(name, function, a, b), reduction);
}

// The loss of each row, in f32 (f64 for f64 logits).
Tensor cross_entropy_rows(const Tensor& input, const Tensor& targets) {
  Tensor operand = input;
  const ops::OpScope scope("cross_entropy", {&operand}, ops::InputCast::in_kernel);
  const Tensor logits = contiguous(operand);
  const std::int64_t rows = logits.size(0);
  const DType type = logits.dtype() == DType::f64 ? DType::f64 : DType::f32;
  Tensor loss = Tensor::empty(logits.device(), {rows}, type);
  const Tensor log_sum_exp = Tensor::empty(logits.device(), {rows}, type);
  count_of(logits);  // rows and columns may fit where their product does not
  const CrossEntropyParams params{narrow<std::uint32_t>(rows, "number of rows"),
                                  narrow<std::uint32_t>(logits.size(1), "number of classes"), 0};
  const Tensor labels = contiguous(targets);
  KernelCall forward(KernelId::cross_entropy, Spec{.types = {logits.dtype(), DType::i32, type, type}}, params);
  forward.with(range_of(logits)).with(range_of(labels)).with(range_of(loss)).with(range_of(log_sum_exp));
  logits.device().launch(forward);
  autograd::record(
      "cross_entropy", loss, {operand}, [=, logits = logits.detach()](const Tensor& dy, Gradients& gradients) {
        Tensor dlogits = Tensor::empty(logits.device(), logits.shape(), logits.dtype());
        CrossEntropyParams strided = params;  // a mean's gradient is the same for all rows: its stride is 0
        strided.dloss_stride = narrow<std::uint32_t>(dy.strides()[0], "distance between rows of the gradient");
        const Spec spec{.types = {logits.dtype(), DType::i32, type, dy.dtype()}};
        KernelCall call(KernelId::cross_entropy_grad, spec, strided);
        call.with(range_of(logits)).with(range_of(labels)).with(range_of(log_sum_exp)).with(range_of(dy));
        logits.device().launch(call.with(range_of(dlogits)));
        gradients.give(0, dlogits);
      });
  return loss;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& targets, LossReduction reduction) {
  require(logits.rank() == 2 && logits.size(1) > 0, "cross_entropy needs logits [N, classes], but got shape {}",
          logits.shape());
  require(targets.dtype() == DType::i32 && targets.shape() == Shape{logits.size(0)},
          "cross_entropy needs one i32 target for each of {} rows, but got {} of shape {}", logits.size(0),
          name_of(targets.dtype()), targets.shape());
  return reduce_loss(cross_entropy_rows(logits, targets), reduction);
}

Tensor mse_loss(const Tensor& prediction, const Tensor& target, LossReduction reduction) {
  return elementwise_loss("mse_loss", BinaryFunction::mse, prediction, target, reduction);
}

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, LossReduction reduction) {
  return elementwise_loss("bce_with_logits", BinaryFunction::bce_with_logits, logits, target, reduction);
}

Tensor bce(const Tensor& probabilities, const Tensor& target, LossReduction reduction) {
  return elementwise_loss("bce", BinaryFunction::bce, probabilities, target, reduction);
}

}  // namespace amphora
