#include "unit/ops/gradcheck.h"

#include <cmath>

namespace amphora::testing {

namespace {

constexpr double kStep = 6e-6;
constexpr double kUnit = 0x1p-53;

struct WeightedSum {
  double value = 0.0;
  double magnitude = 0.0;  // of its terms: what rounding errors are relative to
};

WeightedSum weighted_sum(const Tensor& result, const Values& weights) {
  WeightedSum sum;
  const Values values = result.to_doubles();
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum.value += weights[i] * values[i];
    sum.magnitude += std::abs(weights[i]) * std::max(1.0, std::abs(values[i]));
  }
  return sum;
}

}  // namespace

Tensor GradCheck::random_tensor(const Input& input) {
  const Values values = random.uniforms(input.shape.count(), input.low, input.high);
  return Tensor::from(*device, input.shape, std::span<const double>(values), DType::f64);
}

void GradCheck::check(const Function& function, const std::vector<Input>& inputs) {
  std::vector<Tensor> tensors;
  tensors.reserve(inputs.size());
  for (const Input& input : inputs) tensors.push_back(random_tensor(input));
  check_at(function, tensors);
}

void GradCheck::check_at(const Function& function, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves = inputs;
  for (Tensor& leaf : leaves) leaf.set_requires_grad();
  const Tensor result = function(leaves);
  ASSERT_EQ(result.dtype(), DType::f64);
  const Values weights = random.normals(result.count());
  result.backward(Tensor::from(*device, result.shape(), std::span<const double>(weights), DType::f64));

  const autograd::NoGrad no_grad;
  for (std::size_t which = 0; which < leaves.size(); ++which) {
    const Tensor gradient = leaves[which].grad();
    ASSERT_TRUE(gradient.defined()) << "input " << which << " got no gradient";
    ASSERT_EQ(gradient.shape(), leaves[which].shape());
    ASSERT_EQ(gradient.dtype(), DType::f64);
    const Values analytic = gradient.to_doubles();
    const Values values = leaves[which].to_doubles();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto moved = [&](double by) {
        Values changed = values;
        changed[i] += by;
        std::vector<Tensor> arguments = leaves;
        arguments[which] = Tensor::from(*device, leaves[which].shape(), std::span<const double>(changed), DType::f64);
        return weighted_sum(function(arguments), weights);
      };
      const auto quotient = [&](double h) { return (moved(h).value - moved(-h).value) / (2.0 * h); };
      const double numeric = quotient(kStep);
      const double truncation = std::abs(quotient(2.0 * kStep) - numeric);
      const double rounding = 64.0 * kUnit * moved(0.0).magnitude / kStep;
      ASSERT_NEAR(analytic[i], numeric, truncation + rounding) << "element " << i << " of input " << which;
    }
  }
}

}  // namespace amphora::testing
