// Pointwise ops: one function per row of kernel/shared/pointwise.def, plus operators.
//
// Under autocast most of them follow their inputs; those whose range or derivative leaves 16 bits (exp, log, pow,
// reciprocal, rsqrt, softplus, ...) give f32. Operands broadcast by NumPy's rule. A C++ number never changes a
// tensor's type.
#pragma once

#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

namespace ops {

// The kernels behind the functions below, for ops that are built from them. They take types as they are: `dtype` is
// the result's. `name` is the op's name in the policy and on the tape.
Tensor unary(std::string_view name, UnaryFunction function, const Tensor& x, float p0 = 0.0f, float p1 = 0.0f);
Tensor binary(std::string_view name, BinaryFunction function, const Tensor& a, const Tensor& b);
// dy times the function's derivative at x (and y), of dy's type.
Tensor unary_gradient(UnaryFunction function, const Tensor& x, const Tensor& y, const Tensor& dy, DType dtype,
                      float p0 = 0.0f, float p1 = 0.0f);

}  // namespace ops

inline Tensor relu(const Tensor& x) { return ops::unary("relu", UnaryFunction::relu, x); }
inline Tensor leaky_relu(const Tensor& x, float slope = 0.01f) {
  return ops::unary("leaky_relu", UnaryFunction::leaky_relu, x, slope);
}
// The tanh form.
inline Tensor gelu(const Tensor& x) { return ops::unary("gelu", UnaryFunction::gelu, x); }
inline Tensor silu(const Tensor& x) { return ops::unary("silu", UnaryFunction::silu, x); }
inline Tensor sigmoid(const Tensor& x) { return ops::unary("sigmoid", UnaryFunction::sigmoid, x); }
inline Tensor tanh(const Tensor& x) { return ops::unary("tanh", UnaryFunction::tanh, x); }
inline Tensor softplus(const Tensor& x) { return ops::unary("softplus", UnaryFunction::softplus, x); }
inline Tensor exp(const Tensor& x) { return ops::unary("exp", UnaryFunction::exp, x); }
inline Tensor expm1(const Tensor& x) { return ops::unary("expm1", UnaryFunction::expm1, x); }
inline Tensor log(const Tensor& x) { return ops::unary("log", UnaryFunction::log, x); }
inline Tensor log1p(const Tensor& x) { return ops::unary("log1p", UnaryFunction::log1p, x); }
inline Tensor sqrt(const Tensor& x) { return ops::unary("sqrt", UnaryFunction::sqrt, x); }
inline Tensor rsqrt(const Tensor& x) { return ops::unary("rsqrt", UnaryFunction::rsqrt, x); }
inline Tensor reciprocal(const Tensor& x) { return ops::unary("reciprocal", UnaryFunction::reciprocal, x); }
inline Tensor pow(const Tensor& x, float exponent) { return ops::unary("pow", UnaryFunction::pow, x, exponent); }
inline Tensor sin(const Tensor& x) { return ops::unary("sin", UnaryFunction::sin, x); }
inline Tensor cos(const Tensor& x) { return ops::unary("cos", UnaryFunction::cos, x); }
inline Tensor abs(const Tensor& x) { return ops::unary("abs", UnaryFunction::abs, x); }
inline Tensor square(const Tensor& x) { return ops::unary("square", UnaryFunction::square, x); }
inline Tensor clamp(const Tensor& x, float low, float high) {
  return ops::unary("clamp", UnaryFunction::clamp, x, low, high);
}

inline Tensor add(const Tensor& a, const Tensor& b) { return ops::binary("add", BinaryFunction::add, a, b); }
inline Tensor sub(const Tensor& a, const Tensor& b) { return ops::binary("sub", BinaryFunction::sub, a, b); }
inline Tensor mul(const Tensor& a, const Tensor& b) { return ops::binary("mul", BinaryFunction::mul, a, b); }
inline Tensor div(const Tensor& a, const Tensor& b) { return ops::binary("div", BinaryFunction::div, a, b); }
inline Tensor maximum(const Tensor& a, const Tensor& b) {
  return ops::binary("maximum", BinaryFunction::maximum, a, b);
}
inline Tensor minimum(const Tensor& a, const Tensor& b) {
  return ops::binary("minimum", BinaryFunction::minimum, a, b);
}

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

// factor * x + offset; x itself for 1 * x + 0.
inline Tensor affine(const Tensor& x, float factor, float offset) {
  if (factor == 1.0f && offset == 0.0f) return x;
  return ops::unary("affine", UnaryFunction::affine, x, factor, offset);
}
inline Tensor operator-(const Tensor& x) { return ops::unary("neg", UnaryFunction::neg, x); }
inline Tensor operator+(const Tensor& x, float c) { return affine(x, 1.0f, c); }
inline Tensor operator-(const Tensor& x, float c) { return affine(x, 1.0f, -c); }
inline Tensor operator*(const Tensor& x, float c) { return affine(x, c, 0.0f); }
inline Tensor operator/(const Tensor& x, float c) { return affine(x, 1.0f / c, 0.0f); }
inline Tensor operator+(float c, const Tensor& x) { return x + c; }
inline Tensor operator-(float c, const Tensor& x) { return affine(x, -1.0f, c); }
inline Tensor operator*(float c, const Tensor& x) { return x * c; }

}  // namespace amphora
