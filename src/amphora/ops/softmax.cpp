#include "amphora/ops/softmax.h"

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/kernel/call.h"
#include "amphora/ops/fused.h"
#include "amphora/ops/op.h"
#include "amphora/ops/pointwise.h"
#include "amphora/ops/reduce.h"
#include "amphora/ops/view.h"

namespace amphora {

namespace {

Tensor softmax_rows(std::string_view name, const Tensor& input, std::uint8_t flags) {
  Tensor x = input;
  const ops::OpScope scope(name, {&x}, ops::InputCast::in_kernel);
  const Tensor source = contiguous(x);
  Tensor y = Tensor::empty(x.device(), x.shape(), scope.result());
  count_of(x);  // rows and columns may fit where their product does not
  const RowsParams params{narrow<std::uint32_t>(x.shape().without(-1).count(), "number of rows"),
                          narrow<std::uint32_t>(x.size(-1), "number of columns")};
  ops::launch_fused({KernelId::softmax, Spec{.flags = flags}, params}, {source, y});
  autograd::record(name, y, {x},
                   [=, y = y.detach(), type = x.dtype()](const Tensor& dy, autograd::Gradients& gradients) {
                     Tensor dx = Tensor::empty(y.device(), y.shape(), type);
                     ops::launch_fused({KernelId::softmax_grad, Spec{.flags = flags}, params}, {y, contiguous(dy), dx});
                     gradients.give(0, dx);
                   });
  return y;
}

Tensor along(std::string_view name, const Tensor& x, int axis, std::uint8_t flags) {
  require(x.rank() > 0, "'{}' needs a tensor with at least one axis", name);
  const int a = x.shape().normalize(axis);
  if (a == x.rank() - 1) return softmax_rows(name, x, flags);
  return transpose(softmax_rows(name, transpose(x, a, -1), flags), a, -1);
}

}  // namespace

namespace ops::composed {

std::vector<Tensor> softmax(const KernelCall& call, const std::vector<Tensor>& given) {
  const Tensor x = widened(given[op::softmax::x]);
  const Tensor shifted = sub(x, max(x, -1, true));
  const Tensor powers = exp(shifted);
  const Tensor total = sum(powers, -1, true);
  return {call.has_flag(kSoftmaxLog) ? sub(shifted, log(total)) : div(powers, total)};
}

std::vector<Tensor> softmax_grad(const KernelCall& call, const std::vector<Tensor>& given) {
  const Tensor y = widened(given[op::softmax_grad::y]);
  const Tensor dy = widened(given[op::softmax_grad::dy]);
  if (call.has_flag(kSoftmaxLog)) return {sub(dy, mul(exp(y), sum(dy, -1, true)))};
  return {mul(y, sub(dy, sum(mul(y, dy), -1, true)))};
}

}  // namespace ops::composed

Tensor softmax(const Tensor& x, int axis) { return along("softmax", x, axis, 0); }
Tensor log_softmax(const Tensor& x, int axis) { return along("log_softmax", x, axis, kSoftmaxLog); }

}  // namespace amphora
