// Gradients of the pointwise ops against central differences, away from kinks.
#include "unit/ops/gradcheck.h"

namespace amphora::testing {
namespace {

using Inputs = std::vector<Tensor>;
using Unary = Tensor (*)(const Tensor&);
using Binary = Tensor (*)(const Tensor&, const Tensor&);

class PointwiseGradients : public GradCheck {
 protected:
  // Once on each side of zero, and on a strided input.
  void check_unary(const Function& function, double low, double high) {
    check(function, {{{2, 3}, low, high}});
    check([&](const Inputs& in) { return function({transpose(in[0])}); }, {{{3, 4}, low, high}});
  }
  void check_unary(Unary function, double low, double high) {
    check_unary([function](const Inputs& in) { return function(in[0]); }, low, high);
  }
};

TEST_F(PointwiseGradients, Relu) {
  check_unary(relu, 0.1, 2);
  check_unary(relu, -2, -0.1);
}
TEST_F(PointwiseGradients, LeakyRelu) {
  const Function f = [](const Inputs& in) { return leaky_relu(in[0], 0.25f); };
  check_unary(f, 0.1, 2);
  check_unary(f, -2, -0.1);
}
TEST_F(PointwiseGradients, Gelu) { check_unary(gelu, -3, 3); }
TEST_F(PointwiseGradients, Silu) { check_unary(silu, -3, 3); }
TEST_F(PointwiseGradients, Sigmoid) { check_unary(sigmoid, -4, 4); }
TEST_F(PointwiseGradients, Tanh) { check_unary(amphora::tanh, -2, 2); }
TEST_F(PointwiseGradients, Softplus) {
  check_unary(softplus, -4, 4);
  check_unary(softplus, 21, 25);
}
TEST_F(PointwiseGradients, Exp) { check_unary(amphora::exp, -2, 2); }
TEST_F(PointwiseGradients, Expm1) { check_unary(amphora::expm1, -2, 2); }
TEST_F(PointwiseGradients, Log) { check_unary(amphora::log, 0.5, 3); }
TEST_F(PointwiseGradients, Log1p) { check_unary(amphora::log1p, -0.5, 3); }
TEST_F(PointwiseGradients, Sqrt) { check_unary(amphora::sqrt, 0.5, 3); }
TEST_F(PointwiseGradients, Rsqrt) { check_unary(rsqrt, 0.5, 3); }
TEST_F(PointwiseGradients, Reciprocal) {
  check_unary(reciprocal, 0.5, 3);
  check_unary(reciprocal, -3, -0.5);
}
TEST_F(PointwiseGradients, Pow) {
  for (const float exponent : {3.0f, 2.0f, 0.5f, -1.5f}) {
    check_unary([exponent](const Inputs& in) { return amphora::pow(in[0], exponent); }, 0.5, 2);
  }
  check_unary([](const Inputs& in) { return amphora::pow(in[0], 3.0f); }, -2, -0.5);
}
TEST_F(PointwiseGradients, Sin) { check_unary(amphora::sin, -3, 3); }
TEST_F(PointwiseGradients, Cos) { check_unary(amphora::cos, -3, 3); }
TEST_F(PointwiseGradients, Abs) {
  check_unary(amphora::abs, 0.1, 2);
  check_unary(amphora::abs, -2, -0.1);
}
TEST_F(PointwiseGradients, Negation) {
  check_unary([](const Inputs& in) { return -in[0]; }, -2, 2);
}
TEST_F(PointwiseGradients, Square) { check_unary(square, -2, 2); }
TEST_F(PointwiseGradients, Clamp) {
  const Function f = [](const Inputs& in) { return clamp(in[0], -0.5f, 1.0f); };
  check_unary(f, -0.4, 0.9);
  check_unary(f, 1.1, 2);
  check_unary(f, -2, -0.6);
}
TEST_F(PointwiseGradients, ArithmeticWithNumbers) {
  check_unary([](const Inputs& in) { return affine(in[0], 2.5f, -1.0f); }, -2, 2);
  check_unary([](const Inputs& in) { return (3.0f - in[0] * 2.0f) / 4.0f + 1.0f - 0.5f; }, -2, 2);
}

// Every binary op, with every way of broadcasting: neither side, one, both, to a higher rank, and strided operands.
class BinaryGradients : public GradCheck {
 protected:
  void check_binary(Binary function, Input a, Input b) {
    const Function f = [function](const Inputs& in) { return function(in[0], in[1]); };
    const auto with = [](Input input, const Shape& shape) {
      input.shape = shape;
      return input;
    };
    const std::pair<Shape, Shape> shapes[] = {{{2, 3}, {2, 3}}, {{2, 3}, {3}},          {{3}, {2, 3}},
                                              {{2, 1}, {1, 3}}, {{2, 3}, {}},           {{}, {2, 3}},
                                              {{1}, {2, 2}},    {{2, 1, 3}, {2, 2, 1}}, {{2, 2, 1, 2}, {2, 1, 3, 1}}};
    for (const auto& [sa, sb] : shapes) {
      SCOPED_TRACE(sa.str() + " with " + sb.str());
      check(f, {with(a, sa), with(b, sb)});
    }
    check([function](const Inputs& in) { return function(transpose(in[0]), slice(in[1], 1, 1, 2)); },
          {with(a, {2, 3}), with(b, {3, 4})});
  }
};

TEST_F(BinaryGradients, Add) { check_binary(add, {}, {}); }
TEST_F(BinaryGradients, Sub) { check_binary(sub, {}, {}); }
TEST_F(BinaryGradients, Mul) { check_binary(mul, {}, {}); }
TEST_F(BinaryGradients, Div) { check_binary(amphora::div, {}, {.shape = {}, .low = 0.5, .high = 2}); }
TEST_F(BinaryGradients, Maximum) {
  check_binary(maximum, {.shape = {}, .low = 0.6, .high = 2}, {.shape = {}, .low = -2, .high = 0.5});
  check_binary(maximum, {.shape = {}, .low = -2, .high = 0.5}, {.shape = {}, .low = 0.6, .high = 2});
}
TEST_F(BinaryGradients, Minimum) {
  check_binary(minimum, {.shape = {}, .low = 0.6, .high = 2}, {.shape = {}, .low = -2, .high = 0.5});
  check_binary(minimum, {.shape = {}, .low = -2, .high = 0.5}, {.shape = {}, .low = 0.6, .high = 2});
}
TEST_F(BinaryGradients, ATensorWithItself) {
  check([](const Inputs& in) { return in[0] * in[0] / (in[0] + in[0]); }, {{{4}, 0.5, 2}});
}

}  // namespace
}  // namespace amphora::testing
