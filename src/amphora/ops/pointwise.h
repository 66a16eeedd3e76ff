// Pointwise ops: one function per row of kernel/shared/pointwise.def, plus operators.
//
// Under autocast most of them follow their inputs; those whose range or derivative leaves 16 bits (exp, log, pow,
// reciprocal, rsqrt, softplus, ...) give f32. Operands broadcast by NumPy's rule. A C++ number never changes a
// tensor's type.
#pragma once

#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

Tensor relu(const Tensor& x);
Tensor leaky_relu(const Tensor& x, float slope = 0.01f);
Tensor gelu(const Tensor& x);  // tanh form
Tensor silu(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor softplus(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor pow(const Tensor& x, float exponent);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor abs(const Tensor& x);
Tensor square(const Tensor& x);
Tensor clamp(const Tensor& x, float low, float high);

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

// factor * x + offset; x itself for 1 * x + 0.
Tensor affine(const Tensor& x, float factor, float offset);
Tensor operator-(const Tensor& x);
inline Tensor operator+(const Tensor& x, float c) { return affine(x, 1.0f, c); }
inline Tensor operator-(const Tensor& x, float c) { return affine(x, 1.0f, -c); }
inline Tensor operator*(const Tensor& x, float c) { return affine(x, c, 0.0f); }
inline Tensor operator/(const Tensor& x, float c) { return affine(x, 1.0f / c, 0.0f); }
inline Tensor operator+(float c, const Tensor& x) { return x + c; }
inline Tensor operator-(float c, const Tensor& x) { return affine(x, -1.0f, c); }
inline Tensor operator*(float c, const Tensor& x) { return x * c; }

namespace ops {

// The kernels behind the functions above, for ops that are built from them. They take types as they are: `dtype` is
// the result's. `name` is the op's name in the policy and on the tape.
Tensor unary(std::string_view name, UnaryFunction function, const Tensor& x, float p0 = 0.0f, float p1 = 0.0f);
Tensor binary(std::string_view name, BinaryFunction function, const Tensor& a, const Tensor& b);
// dy times the function's derivative at x (and y), of dy's type.
Tensor unary_gradient(UnaryFunction function, const Tensor& x, const Tensor& y, const Tensor& dy, DType dtype,
                      float p0 = 0.0f, float p1 = 0.0f);

}  // namespace ops

}  // namespace amphora
