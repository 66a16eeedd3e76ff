// pointwise: the table of kernel/shared/pointwise.def, evaluated in f64.
#include <cmath>

#include "backends/cpu/oracle/oracle.h"

#define C(value) (value)
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define LESS(a, b) ((a) < (b))
#define EXP(x) std::exp(x)
#define EXPM1(x) std::expm1(x)
#define LOG(x) std::log(x)
#define LOG1P(x) std::log1p(x)
#define SQRT(x) std::sqrt(x)
#define TANH(x) std::tanh(x)
#define SIN(x) std::sin(x)
#define COS(x) std::cos(x)
#define ABS(x) std::abs(x)
#define POW(x, p) std::pow(x, p)

namespace amphora::cpu::oracle {
namespace {

using UnaryForward = double (*)(double x, double p0, double p1);
using UnaryDerivative = double (*)(double x, double y, double p0, double p1);
using BinaryFormula = double (*)(double a, double b);

constexpr UnaryForward kUnaryForward[] = {
#define AM_UNARY(name, forward, derivative) \
  [](double x, [[maybe_unused]] double p0, [[maybe_unused]] double p1) -> double { return forward; },
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};

constexpr UnaryDerivative kUnaryDerivative[] = {
#define AM_UNARY(name, forward, derivative)                                            \
  []([[maybe_unused]] double x, [[maybe_unused]] double y, [[maybe_unused]] double p0, \
     [[maybe_unused]] double p1) -> double { return derivative; },
#include "amphora/kernel/shared/pointwise.def"
#undef AM_UNARY
};

constexpr BinaryFormula kBinaryForward[] = {
#define AM_BINARY(name, forward, da, db) [](double a, double b) -> double { return forward; },
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
};

// [0]: the derivative of a, [1]: that of b.
constexpr BinaryFormula kBinaryDerivative[][2] = {
#define AM_BINARY(name, forward, da, db)                                              \
  {[]([[maybe_unused]] double a, [[maybe_unused]] double b) -> double { return da; }, \
   []([[maybe_unused]] double a, [[maybe_unused]] double b) -> double { return db; }},
#include "amphora/kernel/shared/pointwise.def"
#undef AM_BINARY
};

}  // namespace

double apply(UnaryFunction function, double x, double p0, double p1) {
  return kUnaryForward[static_cast<int>(function)](x, p0, p1);
}

double slope(UnaryFunction function, double x, double y, double p0, double p1) {
  return kUnaryDerivative[static_cast<int>(function)](x, y, p0, p1);
}

void unary(const KernelCall& call, Threads&) {
  const auto params = call.params<UnaryParams>();
  const UnaryForward forward = kUnaryForward[call.spec.function];
  const Array x(call, op::unary::x);
  const Array y(call, op::unary::y);
  for (std::uint32_t i = 0; i < params.count; ++i) y.set(i, forward(x[i], params.p0, params.p1));
}

void unary_grad(const KernelCall& call, Threads&) {
  const auto params = call.params<UnaryParams>();
  const UnaryDerivative derivative = kUnaryDerivative[call.spec.function];
  const Array x(call, op::unary_grad::x);
  const Array y(call, op::unary_grad::y);
  const Array dy(call, op::unary_grad::dy);
  const Array dx(call, op::unary_grad::dx);
  for (std::uint32_t i = 0; i < params.count; ++i) {
    dx.set(i, dy[i] * derivative(x[i], y[i], params.p0, params.p1));
  }
}

void binary(const KernelCall& call, Threads&) {
  const auto params = call.params<BinaryParams>();
  const BinaryFormula forward = kBinaryForward[call.spec.function];
  const Array a(call, op::binary::a);
  const Array b(call, op::binary::b);
  const Array y(call, op::binary::y);
  for_each_index<2>(
      params.rank, params.sizes, {params.a_strides, params.b_strides},
      [&](std::int64_t n, const std::array<std::int64_t, 2>& at) { y.set(n, forward(a[at[0]], b[at[1]])); });
}

void binary_grad(const KernelCall& call, Threads&) {
  const auto params = call.params<BinaryParams>();
  const int operand = (call.spec.flags & kBinaryGradSecond) != 0 ? 1 : 0;
  const BinaryFormula derivative = kBinaryDerivative[call.spec.function][operand];
  const Array a(call, op::binary_grad::a);
  const Array b(call, op::binary_grad::b);
  const Array dy(call, op::binary_grad::dy);
  const Array dx(call, op::binary_grad::dx);
  for_each_index<3>(params.rank, params.sizes, {params.a_strides, params.b_strides, params.dy_strides},
                    [&](std::int64_t n, const std::array<std::int64_t, 3>& at) {
                      dx.set(n, dy[at[2]] * derivative(a[at[0]], b[at[1]]));
                    });
}

}  // namespace amphora::cpu::oracle
