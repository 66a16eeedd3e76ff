#include "amphora/ops/softmax.h"

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/kernel/call.h"
#include "amphora/ops/op.h"
#include "amphora/ops/view.h"

namespace amphora {

namespace {

Tensor softmax_rows(std::string_view name, const Tensor& input, std::uint8_t flags) {
  Tensor x = input;
  const ops::OpScope scope(name, {&x}, ops::InputCast::in_kernel);
  const Tensor source = contiguous(x);
  Tensor y = Tensor::empty(x.device(), x.shape(), scope.result());
  const auto columns = static_cast<std::uint32_t>(x.size(-1));
  const RowsParams params{columns > 0 ? static_cast<std::uint32_t>(x.count()) / columns : 0, columns};
  if (y.count() > 0) {
    KernelCall call(KernelId::softmax, Spec{.types = {x.dtype(), y.dtype()}, .flags = flags}, params);
    x.device().launch(call.with(range_of(source)).with(range_of(y)));
  }
  autograd::record(
      name, y, {x}, [=, y = y.detach(), type = x.dtype()](const Tensor& dy, autograd::Gradients& gradients) {
        const Tensor gradient = contiguous(dy);
        Tensor dx = Tensor::empty(y.device(), y.shape(), type);
        if (dx.count() > 0) {
          KernelCall call(KernelId::softmax_grad, Spec{.types = {y.dtype(), dy.dtype(), type}, .flags = flags}, params);
          y.device().launch(call.with(range_of(y)).with(range_of(gradient)).with(range_of(dx)));
        }
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

Tensor softmax(const Tensor& x, int axis) { return along("softmax", x, axis, 0); }
Tensor log_softmax(const Tensor& x, int axis) { return along("log_softmax", x, axis, kSoftmaxLog); }

}  // namespace amphora
