#include "amphora/ops/pointwise.h"

#include <array>

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/ops/op.h"

namespace amphora::ops {
namespace {

using autograd::Gradients;

BinaryParams params_of(const Shape& shape, const Strides& a, const Strides& b, const Strides& dy) {
  BinaryParams params{};
  set_axes(shape, params.rank, params.sizes, {{a, params.a_strides}, {b, params.b_strides}, {dy, params.dy_strides}});
  return params;
}

Tensor binary_gradient(BinaryFunction function, const Tensor& a, const Tensor& b, const Tensor& dy, bool of_second) {
  const Tensor& operand = of_second ? b : a;
  const Shape& shape = dy.shape();
  const bool reduces = operand.shape() != shape;
  // A gradient that is summed afterwards stays in f32 until it is.
  const DType type = reduces && operand.dtype() != DType::f64 ? DType::f32 : operand.dtype();
  Tensor dx = Tensor::empty(dy.device(), shape, type);
  const BinaryParams params = params_of(shape, broadcast_strides(a.shape(), a.strides(), shape),
                                        broadcast_strides(b.shape(), b.strides(), shape), dy.strides());
  const Spec spec{.types = {a.dtype(), b.dtype(), dy.dtype(), type},
                  .function = static_cast<std::uint8_t>(function),
                  .flags = of_second ? kBinaryGradSecond : std::uint8_t{0}};
  KernelCall call(KernelId::binary_grad, spec, params);
  dy.device().launch(call.with(range_of(a)).with(range_of(b)).with(range_of(dy)).with(range_of(dx)));
  return sum_to(dx, operand.shape(), operand.dtype());
}

}  // namespace

Tensor unary_gradient(UnaryFunction function, const Tensor& x, const Tensor& y, const Tensor& dy, DType dtype, float p0,
                      float p1) {
  const Tensor gradient = contiguous(dy);
  Tensor dx = Tensor::empty(dy.device(), x.shape(), dtype);
  const Spec spec{.types = {x.dtype(), y.dtype(), dy.dtype(), dtype}, .function = static_cast<std::uint8_t>(function)};
  KernelCall call(KernelId::unary_grad, spec, UnaryParams{count_of(x), p0, p1});
  dy.device().launch(call.with(range_of(x)).with(range_of(y)).with(range_of(gradient)).with(range_of(dx)));
  return dx;
}

Tensor unary(std::string_view name, UnaryFunction function, const Tensor& input, float p0, float p1) {
  Tensor x = input;
  const OpScope scope(name, {&x}, InputCast::in_kernel);
  const Tensor source = contiguous(x);
  Tensor y = Tensor::empty(x.device(), x.shape(), scope.result());
  const Spec spec{.types = {x.dtype(), y.dtype()}, .function = static_cast<std::uint8_t>(function)};
  KernelCall call(KernelId::unary, spec, UnaryParams{count_of(x), p0, p1});
  x.device().launch(call.with(range_of(source)).with(range_of(y)));
  autograd::record(name, y, {x}, [=, saved = y.detach(), source = source.detach()](const Tensor& dy, Gradients& g) {
    g.give(0, unary_gradient(function, source, saved, dy, source.dtype(), p0, p1));
  });
  return y;
}

Tensor binary(std::string_view name, BinaryFunction function, const Tensor& left, const Tensor& right) {
  Tensor a = left;
  Tensor b = right;
  const OpScope scope(name, {&a, &b}, InputCast::in_kernel);
  const Shape shape = broadcast_shapes(a.shape(), b.shape());
  Tensor y = Tensor::empty(a.device(), shape, scope.result());
  const BinaryParams params = params_of(shape, broadcast_strides(a.shape(), a.strides(), shape),
                                        broadcast_strides(b.shape(), b.strides(), shape), y.strides());
  const Spec spec{.types = {a.dtype(), b.dtype(), y.dtype()}, .function = static_cast<std::uint8_t>(function)};
  KernelCall call(KernelId::binary, spec, params);
  a.device().launch(call.with(range_of(a)).with(range_of(b)).with(range_of(y)));
  autograd::record(name, y, {a, b}, [function, a = a.detach(), b = b.detach()](const Tensor& dy, Gradients& g) {
    if (g.wanted(0)) g.give(0, binary_gradient(function, a, b, dy, false));
    if (g.wanted(1)) g.give(1, binary_gradient(function, a, b, dy, true));
  });
  return y;
}

}  // namespace amphora::ops
