// Gradients of matmul and linear against central differences.
#include "unit/ops/gradcheck.h"

namespace amphora::testing {
namespace {

using Inputs = std::vector<Tensor>;

class ProductGradients : public GradCheck {
 protected:
  void check_matmul(const Shape& a, const Shape& b) {
    SCOPED_TRACE(a.str() + " x " + b.str());
    check([](const Inputs& in) { return matmul(in[0], in[1]); }, {{a}, {b}});
  }
};

TEST_F(ProductGradients, Matmul) {
  check_matmul({2, 3}, {3, 4});
  check_matmul({1, 3}, {3, 1});
  check_matmul({3, 1}, {1, 3});
}

TEST_F(ProductGradients, MatmulOfTransposedViews) {
  check([](const Inputs& in) { return matmul(transpose(in[0]), in[1]); }, {{{3, 2}}, {{3, 4}}});
  check([](const Inputs& in) { return matmul(in[0], transpose(in[1])); }, {{{2, 3}}, {{4, 3}}});
  check([](const Inputs& in) { return matmul(transpose(in[0]), transpose(in[1])); }, {{{3, 2}}, {{4, 3}}});
}

TEST_F(ProductGradients, MatmulOfOtherViews) {
  check([](const Inputs& in) { return matmul(slice(in[0], 1, 1, 3), slice(in[1], 0, 1, 3)); }, {{{2, 5}}, {{4, 2}}});
  check([](const Inputs& in) { return matmul(expand(in[0], {3, 2}), in[1]); }, {{{1, 2}}, {{2, 2}}});
  check([](const Inputs& in) { return matmul(permute(in[0], {2, 0, 1}), in[1]); }, {{{2, 3, 2}}, {{2, 3, 2}}});
}

TEST_F(ProductGradients, MatmulInBatches) {
  check_matmul({2, 2, 3}, {2, 3, 2});
  check_matmul({2, 1, 2, 3}, {2, 1, 3, 2});
  check([](const Inputs& in) { return matmul(in[0], transpose(in[1])); }, {{{2, 2, 3}}, {{2, 4, 3}}});
}

TEST_F(ProductGradients, MatmulWithASharedMatrix) {
  check_matmul({2, 2, 3}, {3, 2});
  check_matmul({2, 2, 1, 3}, {3, 2});
  check([](const Inputs& in) { return matmul(in[0], transpose(in[1])); }, {{{2, 2, 3}}, {{2, 3}}});
}

TEST_F(ProductGradients, MatmulWithItself) {
  check([](const Inputs& in) { return matmul(in[0], in[0]); }, {{{3, 3}}});
  check([](const Inputs& in) { return matmul(in[0], transpose(in[0])); }, {{{2, 3}}});
}

// Linear of leaves, whose gradients the product writes in place, and of results, which are gathered on the tape.
class LinearGradients : public GradCheck, public ::testing::WithParamInterface<Activation> {};

TEST_P(LinearGradients, WithAndWithoutBias) {
  const Activation activation = GetParam();
  // relu's kink is met with probability zero, but a difference quotient needs distance from it: sums of positive terms.
  const bool has_kink = activation == Activation::relu;
  const Input positive{.shape = {}, .low = 0.1, .high = 1};
  const auto input = [&](const Shape& shape) {
    Input result = has_kink ? positive : Input{};
    result.shape = shape;
    return result;
  };
  const Function plain = [=](const Inputs& in) { return linear(in[0], in[1], {}, activation); };
  const Function biased = [=](const Inputs& in) { return linear(in[0], in[1], in[2], activation); };
  const Function of_results = [=](const Inputs& in) {
    return linear(in[0] * 2.0f, transpose(in[1]), in[2] * 0.5f, activation);
  };
  check(plain, {input({2, 3}), input({4, 3})});
  check(plain, {input({3}), input({2, 3})});
  check(biased, {input({2, 3}), input({4, 3}), input({4})});
  check(biased, {input({2, 2, 3}), input({2, 3}), input({2})});
  check(of_results, {input({2, 3}), input({3, 2}), input({2})});
  check([=](const Inputs& in) { return linear(transpose(in[0]), in[1], in[2], activation); },
        {input({3, 2}), input({2, 3}), input({2})});
}

TEST_F(ProductGradients, LinearReluBelowZeroHasNoGradient) {
  check([](const Inputs& in) { return linear(in[0], -in[1], {}, Activation::relu); },
        {{{2, 3}, 0.1, 1}, {{2, 3}, 0.1, 1}});
}

TEST_P(LinearGradients, AWeightUsedTwiceGathersBothContributions) {
  const Activation activation = GetParam() == Activation::relu ? Activation::tanh : GetParam();
  check([=](const Inputs& in) { return linear(linear(in[0], in[1], in[2], activation), in[1], in[2], activation); },
        {{{2, 3}}, {{3, 3}}, {{3}}});
}

INSTANTIATE_TEST_SUITE_P(Activations, LinearGradients,
                         ::testing::Values(Activation::none, Activation::relu, Activation::gelu, Activation::silu,
                                           Activation::sigmoid, Activation::tanh),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace amphora::testing
