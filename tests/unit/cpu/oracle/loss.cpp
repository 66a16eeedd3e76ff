#include <cmath>

#include "unit/cpu/oracle/support.h"

namespace amphora::testing {
namespace {

using Values = std::vector<double>;

class OracleLoss : public OracleTest {
 protected:
  struct Result {
    Values loss;
    Values log_sum_exp;
    Values gradient;
  };

  Result run(const Values& x, const Values& classes, const Values& dloss, std::uint32_t dloss_stride) {
    const auto rows = static_cast<std::uint32_t>(classes.size());
    const CrossEntropyParams params{rows, static_cast<std::uint32_t>(x.size()) / rows, dloss_stride};
    const Elements logits = f64(x);
    const Elements targets = elements(DType::i32, classes);
    const Elements loss = f64(Values(rows));
    const Elements log_sum_exp = f64(Values(rows));
    const Elements dlogits = f64(Values(x.size(), kNaN));
    const Spec spec{.types = {DType::f64, DType::i32, DType::f64, DType::f64}};
    launch(KernelId::cross_entropy, spec, params, {logits, targets, loss, log_sum_exp});
    launch(KernelId::cross_entropy_grad, spec, params, {logits, targets, log_sum_exp, f64(dloss), dlogits});
    return {loss.read(), log_sum_exp.read(), dlogits.read()};
  }
};

TEST_F(OracleLoss, LossIsLogSumExpLessTheTargetsLogit) {
  const Result result = run({0, std::log(3.0), 1000, 1000}, {1, 0}, {1, 1}, 1);
  expect_near(result.loss, {std::log(4.0 / 3.0), std::log(2.0)}, 1e-13);
  expect_near(result.log_sum_exp, {std::log(4.0), 1000 + std::log(2.0)}, 1e-15);
}

TEST_F(OracleLoss, GradientIsProbabilityLessTheTarget) {
  const Result result = run({0, std::log(3.0), 5, 5}, {1, 0}, {2, 4}, 1);
  expect_near(result.gradient, {0.5, -0.5, -2, 2}, 1e-14);
}

TEST_F(OracleLoss, StrideZeroGivesEveryRowTheSameFactor) {
  const Result result = run({5, 5, 5, 5}, {1, 0}, {2}, 0);
  expect_near(result.gradient, {1, -1, -1, 1}, 1e-14);
}

TEST_F(OracleLoss, ATargetOutsideTheColumnsGivesNaNAndNoGradient) {
  const Result result = run({1, 2, 3, 4, 5, 5}, {-1, 2, 1}, {1, 1, 1}, 1);
  EXPECT_TRUE(std::isnan(result.loss[0]));
  EXPECT_TRUE(std::isnan(result.loss[1]));
  expect_near({result.loss[2]}, {std::log(2.0)}, 1e-14);
  expect_near(result.gradient, {0, 0, 0, 0, 0.5, -0.5}, 1e-14);
}

}  // namespace
}  // namespace amphora::testing
