// Values of reductions, softmax and losses, and what they refuse.
#include <cmath>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class OpsReduce : public CpuTest {
 protected:
  Tensor grid(DType dtype = DType::f32) { return tensor({2, 3}, {1, -2, 3, 4, 5, -6}, dtype); }
};
AMPHORA_ON_CPU(OpsReduce);

TEST_P(OpsReduce, SumsAndMeansOverEveryAxis) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
    const Tensor x = grid(type);
    EXPECT_EQ(sum(x).item(), 5);
    EXPECT_EQ(sum(x).shape(), Shape{});
    EXPECT_EQ(sum(x).dtype(), type);
    EXPECT_TRUE(same_values(sum(x, 0), {5, 3, -3}));
    EXPECT_TRUE(same_values(sum(x, -1), {2, 3}));
    EXPECT_EQ(sum(x, 1, true).shape(), (Shape{2, 1}));
    EXPECT_TRUE(same_values(mean(x, 0), {2.5, 1.5, -1.5}));
    EXPECT_TRUE(same_values(sum(transpose(x), 0), {2, 3}));
  }
  EXPECT_EQ(mean(vector({1, 2, 3, 6})).item(), 3);
}

TEST_P(OpsReduce, LowSumsAreGatheredInF32) {
  EXPECT_EQ(sum(Tensor::full(*device, {4096}, 1, DType::bf16)).item(), 4096);
  EXPECT_EQ(mean(Tensor::full(*device, {4096}, 60000, DType::f16)).item(), 60000);  // the sum is above the largest f16
  const amp::Autocast region(DType::f16);
  EXPECT_EQ(sum(Tensor::full(*device, {4096}, 60000, DType::f16)).item(), 4096.0 * 60000);
}

TEST_P(OpsReduce, ExtremaOverEveryAxis) {
  EXPECT_TRUE(same_values(amphora::max(grid(), 0), {4, 5, 3}));
  EXPECT_TRUE(same_values(amphora::max(grid(), 1), {3, 5}));
  EXPECT_TRUE(same_values(amphora::min(grid(), 0), {1, -2, -6}));
  EXPECT_TRUE(same_values(amphora::min(transpose(grid()), 0), {-2, -6}));
  EXPECT_EQ(amphora::max(grid(), -1, true).shape(), (Shape{2, 1}));
  EXPECT_TRUE(same_values(amphora::max(vector({1, kNan, 3}), 0), {kNan}));
  EXPECT_TRUE(same_values(amphora::min(vector({kNan, -kInf}), 0), {kNan}));
  EXPECT_TRUE(same_values(amphora::max(vector({-kInf, -kInf}), 0), {-kInf}));
  EXPECT_THROW(amphora::max(tensor({2, 0}, {}), 1), Error);
}

TEST_P(OpsReduce, TiesShareTheGradient) {
  const Tensor x = vector({3, 1, 3, 3}).set_requires_grad();
  amphora::max(x, 0).backward(scalar(6));
  EXPECT_TRUE(same_values(x.grad(), {2, 0, 2, 2}));
}

TEST_P(OpsReduce, SoftmaxSumsToOneAndDoesNotOverflow) {
  const Tensor large = tensor({2, 3}, {1000, 1000, -1000, -5000, -5000, -5000});
  EXPECT_TRUE(close_values(softmax(large).to_doubles(), {0.5, 0.5, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3}, 4 * 0x1p-24));
  EXPECT_TRUE(close_values(
      log_softmax(large).to_doubles(),
      {-std::log(2.0), -std::log(2.0), -2000 - std::log(2.0), -std::log(3.0), -std::log(3.0), -std::log(3.0)},
      4 * 0x1p-24));
  EXPECT_TRUE(close_values(softmax(vector({-kInf, 0, 0})).to_doubles(), {0, 0.5, 0.5}, 0));
  Random random;
  const Tensor x = tensor({5, 7, 3}, random.normals(105, 3));
  for (const int axis : {0, 1, 2}) {
    for (const double total : sum(softmax(x, axis), axis).to_doubles()) {
      EXPECT_NEAR(total, 1, 2 * 7 * 0x1p-24);  // as many roundings as terms, of values and of the sum
    }
    EXPECT_TRUE(
        close_values(amphora::exp(log_softmax(x, axis)).to_doubles(), softmax(x, axis).to_doubles(), 32 * 0x1p-24));
  }
}

TEST_P(OpsReduce, LowSoftmaxIsRoundedOnce) {
  Random random;
  for (const DType low : kLowTypes) {
    const Tensor x = tensor({4, 33}, random.normals(132, 2), low);
    const Values wide = softmax(cast(x, DType::f64)).to_doubles();
    const double unit = low == DType::f16 ? 0x1p-11 : 0x1p-8;
    EXPECT_TRUE(close_values(softmax(x).to_doubles(), wide, unit + 64 * 0x1p-24)) << name_of(low);
  }
}

TEST_P(OpsReduce, CrossEntropyIsMinusTheLogOfTheShare) {
  const Tensor logits = tensor({2, 3}, {0, std::log(2.0), std::log(5.0), 1, 1, 1});
  const Tensor targets = labels({2, 0});
  const double first = std::log(8.0 / 5);
  const double second = std::log(3.0);
  const double unit = 8 * 0x1p-24;
  EXPECT_TRUE(close_values(cross_entropy(logits, targets, LossReduction::none).to_doubles(), {first, second}, unit));
  EXPECT_NEAR(cross_entropy(logits, targets, LossReduction::sum).item(), first + second, 2 * unit);
  EXPECT_NEAR(cross_entropy(logits, targets).item(), (first + second) / 2, 2 * unit);
}

TEST_P(OpsReduce, CrossEntropyOfLowLogitsIsF32AndStable) {
  for (const DType low : kLowTypes) {
    Tensor logits = tensor({1, 2}, {30000, -30000}, low);
    logits.set_requires_grad();
    const Tensor loss = cross_entropy(logits, labels({1}), LossReduction::none);
    EXPECT_EQ(loss.dtype(), DType::f32);
    EXPECT_EQ(loss.item(), logits.to_doubles()[0] - logits.to_doubles()[1]);
    loss.backward(vector({0.5}));
    EXPECT_EQ(logits.grad().dtype(), low);
    EXPECT_TRUE(same_values(logits.grad(), {0.5, -0.5}));
  }
}

TEST_P(OpsReduce, ATargetOutsideTheClassesReadsNothing) {
  Tensor logits = tensor({3, 2}, {0, 0, 0, 0, 0, 0});
  logits.set_requires_grad();
  const Tensor loss = cross_entropy(logits, labels({-1, 0, 2}), LossReduction::none);
  const Values values = loss.to_doubles();
  EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[2]));
  EXPECT_NEAR(values[1], std::log(2.0), 4 * 0x1p-24);
  loss.backward(vector({1, 1, 1}));
  const Values gradient = logits.grad().to_doubles();
  EXPECT_TRUE(close_values(gradient, {0, 0, -0.5, 0.5, 0, 0}, 4 * 0x1p-24));
}

TEST_P(OpsReduce, ElementwiseLosses) {
  const Tensor a = vector({1, -2, 0.5});
  const Tensor b = vector({0, 1, 0.5});
  EXPECT_TRUE(same_values(mse_loss(a, b, LossReduction::none), {1, 9, 0}));
  EXPECT_EQ(mse_loss(a, b, LossReduction::sum).item(), 10);
  EXPECT_FLOAT_EQ(static_cast<float>(mse_loss(a, b).item()), 10.0f / 3);
  const auto logistic = [](double x, double t) { return std::log1p(std::exp(-x)) + (1 - t) * x; };
  EXPECT_TRUE(close_values(bce_with_logits(a, b, LossReduction::none).to_doubles(),
                           {logistic(1, 0), logistic(-2, 1), logistic(0.5, 0.5)}, 8 * 0x1p-24));
  EXPECT_TRUE(close_values(bce_with_logits(vector({500, -500}), vector({1, 1}), LossReduction::none).to_doubles(),
                           {0, 500}, 8 * 0x1p-24));
  EXPECT_TRUE(close_values(bce(vector({0.25, 1, 0}), vector({1, 1, 1}), LossReduction::none).to_doubles(),
                           {std::log(4.0), 0, 100}, 8 * 0x1p-24));
}

TEST_P(OpsReduce, WrongShapesAndTypesAreNamed) {
  EXPECT_THROW(cross_entropy(vector({1, 2}), labels({0})), Error);
  EXPECT_THROW(cross_entropy(grid(), labels({0})), Error);
  EXPECT_THROW(cross_entropy(grid(), vector({0, 1})), Error);
  EXPECT_THROW(cross_entropy(tensor({2, 0}, {}), labels({0, 0})), Error);
  EXPECT_EQ(message_of([&] {
              mse_loss(grid(), vector({1, 2, 3}));
            }),
            "'mse_loss' of shapes [2, 3] and [3]; they must be equal");
  EXPECT_THROW(bce_with_logits(grid(), vector({1})), Error);
  EXPECT_THROW(sum(grid(), 2), Error);
  EXPECT_THROW(softmax(grid(), -3), Error);
  EXPECT_THROW(softmax(scalar(1)), Error);
}

}  // namespace
}  // namespace amphora::testing
