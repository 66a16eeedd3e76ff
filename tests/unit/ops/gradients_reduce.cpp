// Gradients of reductions, softmax, losses, dropout and views against central differences.
#include "unit/ops/gradcheck.h"

namespace amphora::testing {
namespace {

using Inputs = std::vector<Tensor>;

class ReduceGradients : public GradCheck {
 protected:
  // Values at least 0.1 apart, in random order: far enough from a tie for the difference quotient.
  Tensor distinct(const Shape& shape) {
    Values values(static_cast<std::size_t>(shape.count()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1 * static_cast<double>(i) - 0.7;
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.bits() % i]);
    return Tensor::from(*device, shape, std::span<const double>(values), DType::f64);
  }
};

TEST_F(ReduceGradients, SumAndMeanOfAll) {
  for (const Shape& shape : {Shape{2, 3}, Shape{}, Shape{5}}) {
    check([](const Inputs& in) { return sum(in[0]); }, {{shape}});
    check([](const Inputs& in) { return mean(in[0]); }, {{shape}});
  }
  check([](const Inputs& in) { return sum(transpose(in[0])); }, {{{2, 3}}});
}

TEST_F(ReduceGradients, SumAndMeanOverEachAxis) {
  for (const int axis : {0, 1, 2, -1}) {
    for (const bool keep : {false, true}) {
      check([=](const Inputs& in) { return sum(in[0], axis, keep); }, {{{2, 3, 4}}});
      check([=](const Inputs& in) { return mean(in[0], axis, keep); }, {{{2, 3, 4}}});
    }
    check([=](const Inputs& in) { return sum(permute(in[0], {2, 0, 1}), axis); }, {{{2, 3, 4}}});
  }
}

TEST_F(ReduceGradients, MaxAndMinOverEachAxis) {
  for (const int axis : {0, 1, 2}) {
    for (const bool keep : {false, true}) {
      check_at([=](const Inputs& in) { return amphora::max(in[0], axis, keep); }, {distinct({2, 3, 2})});
      check_at([=](const Inputs& in) { return amphora::min(in[0], axis, keep); }, {distinct({2, 3, 2})});
    }
    check_at([=](const Inputs& in) { return amphora::max(permute(in[0], {1, 2, 0}), axis); }, {distinct({2, 3, 2})});
  }
}

TEST_F(ReduceGradients, SoftmaxOverEachAxis) {
  for (const int axis : {0, 1, 2, -1}) {
    check([=](const Inputs& in) { return softmax(in[0], axis); }, {{{2, 3, 4}, -2, 2}});
    check([=](const Inputs& in) { return log_softmax(in[0], axis); }, {{{2, 3, 4}, -2, 2}});
  }
  check([](const Inputs& in) { return softmax(transpose(in[0])); }, {{{3, 2}, -2, 2}});
}

constexpr LossReduction kReductions[] = {LossReduction::mean, LossReduction::sum, LossReduction::none};

TEST_F(ReduceGradients, CrossEntropy) {
  const Tensor targets = Tensor::from(*device, {3}, std::vector<std::int32_t>{2, 0, 3});
  for (const LossReduction reduction : kReductions) {
    check([=](const Inputs& in) { return cross_entropy(in[0], targets, reduction); }, {{{3, 4}, -2, 2}});
    check([=](const Inputs& in) { return cross_entropy(transpose(in[0]), targets, reduction); }, {{{4, 3}, -2, 2}});
  }
  // Rows that count differently: the gradient of each arrives on its own.
  check([=](const Inputs& in) { return cross_entropy(in[0], targets, LossReduction::none) * in[1]; },
        {{{3, 4}}, {{3}}});
}

TEST_F(ReduceGradients, ElementwiseLosses) {
  for (const LossReduction reduction : kReductions) {
    check([=](const Inputs& in) { return mse_loss(in[0], in[1], reduction); }, {{{2, 3}}, {{2, 3}}});
    check([=](const Inputs& in) { return bce_with_logits(in[0], in[1], reduction); },
          {{{2, 3}, 0.1, 3}, {{2, 3}, 0, 1}});
    check([=](const Inputs& in) { return bce_with_logits(-in[0], in[1], reduction); },
          {{{2, 3}, 0.1, 3}, {{2, 3}, 0, 1}});
    check([=](const Inputs& in) { return bce(in[0], in[1], reduction); }, {{{2, 3}, 0.1, 0.9}, {{2, 3}, 0, 1}});
  }
}

TEST_F(ReduceGradients, Dropout) {
  for (const float p : {0.0f, 0.3f, 0.9f}) {
    check([=](const Inputs& in) { return dropout(in[0], p, {7, 3}); }, {{{5, 4}}});
    check([=](const Inputs& in) { return dropout(transpose(in[0]), p, {7, 3}); }, {{{5, 4}}});
  }
}

class ViewGradients : public GradCheck {};

TEST_F(ViewGradients, ReshapeAndFlatten) {
  check([](const Inputs& in) { return reshape(in[0], {3, -1}); }, {{{2, 3}}});
  check([](const Inputs& in) { return reshape(transpose(in[0]), {2, 3}); }, {{{2, 3}}});
  check([](const Inputs& in) { return flatten(in[0]); }, {{{2, 3, 2}}});
  check([](const Inputs& in) { return squeeze(unsqueeze(in[0], 1), 1); }, {{{2, 3}}});
}

TEST_F(ViewGradients, PermuteAndTranspose) {
  check([](const Inputs& in) { return permute(in[0], {2, 0, 1}); }, {{{2, 3, 4}}});
  check([](const Inputs& in) { return transpose(in[0], 0, 2); }, {{{2, 3, 4}}});
}

TEST_F(ViewGradients, Slice) {
  check([](const Inputs& in) { return slice(in[0], 0, 1, 2); }, {{{4, 3}}});
  check([](const Inputs& in) { return slice(in[0], -1, 1, 2); }, {{{2, 4}}});
  check([](const Inputs& in) { return slice(transpose(in[0]), 0, 1, 1); }, {{{3, 2}}});
  // Two slices of one tensor that overlap.
  check([](const Inputs& in) { return slice(in[0], 0, 0, 3) * slice(in[0], 0, 1, 3); }, {{{4}}});
}

TEST_F(ViewGradients, Expand) {
  check([](const Inputs& in) { return expand(in[0], {2, 3, 4}); }, {{{3, 1}}});
  check([](const Inputs& in) { return expand(in[0], {2, 3}) * in[1]; }, {{{}}, {{2, 3}}});
}

TEST_F(ViewGradients, CatAndStack) {
  check([](const Inputs& in) { return cat({in[0], in[1], in[0]}, 0); }, {{{2, 3}}, {{1, 3}}});
  check([](const Inputs& in) { return cat({transpose(in[0]), in[1]}, -1); }, {{{3, 2}}, {{2, 4}}});
  check([](const Inputs& in) { return stack({in[0], in[1]}, 1); }, {{{2, 3}}, {{2, 3}}});
  check([](const Inputs& in) { return stack({in[0], in[1]}, -1); }, {{{2}}, {{2}}});
}

TEST_F(ViewGradients, AResultUsedTwiceGathersBothGradients) {
  check(
      [](const Inputs& in) {
        const Tensor x = amphora::tanh(in[0]);
        return x * x + transpose(matmul(x, x));
      },
      {{{3, 3}}});
}

TEST_F(ViewGradients, AChainOfCasts) {
  // f32 is wide enough for the values 0.5 to 1.5 only up to rounding, so the values are multiples of 1/8 and the
  // function is linear: all steps are exact but the differences'.
  const Tensor x = Tensor::from(*device, {3}, std::span<const double>(Values{0.5, 1.25, -0.75}), DType::f64);
  Tensor leaf = x;
  leaf.set_requires_grad();
  const Tensor y = cast(cast(cast(leaf, DType::f32), DType::bf16), DType::f64) * 3.0f;
  EXPECT_TRUE(same_values(y, {1.5, 3.75, -2.25}));
  const Values seed = {1, 2, -4};
  y.backward(Tensor::from(*device, {3}, std::span<const double>(seed), DType::f64));
  EXPECT_TRUE(same_values(leaf.grad(), {3, 6, -12}));
}

TEST_F(ViewGradients, TwoBackwardsAccumulate) {
  Tensor x = random_tensor({{2, 3}});
  x.set_requires_grad();
  const auto once = [&] { sum(amphora::exp(x) * x).backward(); };
  once();
  const Values first = x.grad().to_doubles();
  once();
  const Values twice = x.grad().to_doubles();
  // Two terms a pass, each below 3, in another order: a few roundings of half a unit.
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(twice[i], 2 * first[i], 4 * 12 * 0x1p-53);
}

}  // namespace
}  // namespace amphora::testing
