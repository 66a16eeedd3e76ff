#include "amphora/ops/pointwise.h"

#include <array>

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/ops/op.h"

namespace amphora {

namespace ops {

namespace {

using autograd::Gradients;

// Merges neighbouring axes that all operands walk in one stride, so that most calls have one or two axes left.
BinaryParams collapse(const Shape& shape, const Strides& a, const Strides& b, const Strides& dy) {
  BinaryParams params{};
  int rank = 0;
  const auto at = [](const Strides& strides, int axis) {
    return static_cast<std::int32_t>(strides[static_cast<std::size_t>(axis)]);
  };
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto size = static_cast<std::int32_t>(shape[axis]);
    if (size == 1) continue;
    const bool joins = rank > 0 && params.a_strides[rank - 1] == at(a, axis) * size &&
                       params.b_strides[rank - 1] == at(b, axis) * size &&
                       params.dy_strides[rank - 1] == at(dy, axis) * size;
    if (!joins) params.sizes[rank++] = 1;
    params.sizes[rank - 1] *= size;
    params.a_strides[rank - 1] = at(a, axis);
    params.b_strides[rank - 1] = at(b, axis);
    params.dy_strides[rank - 1] = at(dy, axis);
  }
  if (rank == 0) params.sizes[rank++] = 1;
  params.rank = rank;
  return params;
}

Tensor binary_gradient(BinaryFunction function, const Tensor& a, const Tensor& b, const Tensor& dy, bool of_second) {
  const Tensor& operand = of_second ? b : a;
  const Shape& shape = dy.shape();
  const bool reduces = operand.shape() != shape;
  // A gradient that is summed afterwards stays in f32 until it is.
  const DType type = reduces && operand.dtype() != DType::f64 ? DType::f32 : operand.dtype();
  Tensor dx = Tensor::empty(dy.device(), shape, type);
  if (dx.count() > 0) {
    const BinaryParams params = collapse(shape, broadcast_strides(a.shape(), a.strides(), shape),
                                         broadcast_strides(b.shape(), b.strides(), shape), dy.strides());
    const Spec spec{.types = {a.dtype(), b.dtype(), dy.dtype(), type},
                    .function = static_cast<std::uint8_t>(function),
                    .flags = of_second ? kBinaryGradSecond : std::uint8_t{0}};
    KernelCall call(KernelId::binary_grad, spec, params);
    dy.device().launch(call.with(range_of(a)).with(range_of(b)).with(range_of(dy)).with(range_of(dx)));
  }
  return sum_to(dx, operand.shape(), operand.dtype());
}

}  // namespace

Tensor unary_gradient(UnaryFunction function, const Tensor& x, const Tensor& y, const Tensor& dy, DType dtype, float p0,
                      float p1) {
  const Tensor gradient = contiguous(dy);
  Tensor dx = Tensor::empty(dy.device(), x.shape(), dtype);
  if (dx.count() == 0) return dx;
  const Spec spec{.types = {x.dtype(), y.dtype(), dy.dtype(), dtype}, .function = static_cast<std::uint8_t>(function)};
  KernelCall call(KernelId::unary_grad, spec, UnaryParams{static_cast<std::uint32_t>(x.count()), p0, p1});
  dy.device().launch(call.with(range_of(x)).with(range_of(y)).with(range_of(gradient)).with(range_of(dx)));
  return dx;
}

Tensor unary(std::string_view name, UnaryFunction function, const Tensor& input, float p0, float p1) {
  Tensor x = input;
  const OpScope scope(name, {&x}, InputCast::in_kernel);
  const Tensor source = contiguous(x);
  Tensor y = Tensor::empty(x.device(), x.shape(), scope.result());
  if (y.count() > 0) {
    const Spec spec{.types = {x.dtype(), y.dtype()}, .function = static_cast<std::uint8_t>(function)};
    KernelCall call(KernelId::unary, spec, UnaryParams{static_cast<std::uint32_t>(x.count()), p0, p1});
    x.device().launch(call.with(range_of(source)).with(range_of(y)));
  }
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
  if (y.count() > 0) {
    const BinaryParams params = collapse(shape, broadcast_strides(a.shape(), a.strides(), shape),
                                         broadcast_strides(b.shape(), b.strides(), shape), y.strides());
    const Spec spec{.types = {a.dtype(), b.dtype(), y.dtype()}, .function = static_cast<std::uint8_t>(function)};
    KernelCall call(KernelId::binary, spec, params);
    a.device().launch(call.with(range_of(a)).with(range_of(b)).with(range_of(y)));
  }
  autograd::record(name, y, {a, b}, [function, a = a.detach(), b = b.detach()](const Tensor& dy, Gradients& g) {
    if (g.wanted(0)) g.give(0, binary_gradient(function, a, b, dy, false));
    if (g.wanted(1)) g.give(1, binary_gradient(function, a, b, dy, true));
  });
  return y;
}

}  // namespace ops

using ops::binary;
using ops::unary;

Tensor relu(const Tensor& x) { return unary("relu", UnaryFunction::relu, x); }
Tensor leaky_relu(const Tensor& x, float slope) { return unary("leaky_relu", UnaryFunction::leaky_relu, x, slope); }
Tensor gelu(const Tensor& x) { return unary("gelu", UnaryFunction::gelu, x); }
Tensor silu(const Tensor& x) { return unary("silu", UnaryFunction::silu, x); }
Tensor sigmoid(const Tensor& x) { return unary("sigmoid", UnaryFunction::sigmoid, x); }
Tensor tanh(const Tensor& x) { return unary("tanh", UnaryFunction::tanh, x); }
Tensor softplus(const Tensor& x) { return unary("softplus", UnaryFunction::softplus, x); }
Tensor exp(const Tensor& x) { return unary("exp", UnaryFunction::exp, x); }
Tensor expm1(const Tensor& x) { return unary("expm1", UnaryFunction::expm1, x); }
Tensor log(const Tensor& x) { return unary("log", UnaryFunction::log, x); }
Tensor log1p(const Tensor& x) { return unary("log1p", UnaryFunction::log1p, x); }
Tensor sqrt(const Tensor& x) { return unary("sqrt", UnaryFunction::sqrt, x); }
Tensor rsqrt(const Tensor& x) { return unary("rsqrt", UnaryFunction::rsqrt, x); }
Tensor reciprocal(const Tensor& x) { return unary("reciprocal", UnaryFunction::reciprocal, x); }
Tensor pow(const Tensor& x, float exponent) { return unary("pow", UnaryFunction::pow, x, exponent); }
Tensor sin(const Tensor& x) { return unary("sin", UnaryFunction::sin, x); }
Tensor cos(const Tensor& x) { return unary("cos", UnaryFunction::cos, x); }
Tensor abs(const Tensor& x) { return unary("abs", UnaryFunction::abs, x); }
Tensor square(const Tensor& x) { return unary("square", UnaryFunction::square, x); }
Tensor clamp(const Tensor& x, float low, float high) { return unary("clamp", UnaryFunction::clamp, x, low, high); }
Tensor affine(const Tensor& x, float factor, float offset) {
  if (factor == 1.0f && offset == 0.0f) return x;
  return unary("affine", UnaryFunction::affine, x, factor, offset);
}
Tensor operator-(const Tensor& x) { return unary("neg", UnaryFunction::neg, x); }

Tensor add(const Tensor& a, const Tensor& b) { return binary("add", BinaryFunction::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary("sub", BinaryFunction::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary("mul", BinaryFunction::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary("div", BinaryFunction::div, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary("maximum", BinaryFunction::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary("minimum", BinaryFunction::minimum, a, b); }

}  // namespace amphora
