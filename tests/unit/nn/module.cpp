// Modules and the basic layers.
#include <cmath>

#include "support/cpu_test.h"

namespace amphora::testing {
namespace {

class NnModule : public CpuTest {
 protected:
  RandomSource source{3};
  Tensor x = tensor({2, 3}, {1, -2, 3, -4, 5, -6});
};
AMPHORA_ON_CPU(NnModule);

TEST_P(NnModule, ParametersHavePathsInTheOrderOfRegistration) {
  nn::Sequential model(nn::Linear(*device, source, 3, 4), nn::ReLU(),
                       nn::Sequential(nn::Linear(*device, source, 4, 2, {.bias = false})));
  std::vector<std::string> paths;
  for (const auto& [path, parameter] : model.named_parameters()) paths.push_back(path);
  EXPECT_EQ(paths, (std::vector<std::string>{"0.weight", "0.bias", "2.0.weight"}));
  EXPECT_EQ(model.parameters().size(), 3u);
  EXPECT_EQ(model(x).shape(), (Shape{2, 2}));
}

TEST_P(NnModule, ATiedParameterAppearsOnce) {
  const auto shared = std::make_shared<nn::Linear>(*device, source, 3, 3);
  nn::Sequential model;
  model.add(shared);
  model.add(std::make_shared<nn::ReLU>());
  model.add(shared);
  EXPECT_EQ(model.parameters().size(), 2u);
  EXPECT_NO_THROW(optim::Sgd(model.parameters()));
}

TEST_P(NnModule, SequentialRunsInOrder) {
  nn::Sequential model{nn::ReLU(), nn::Tanh()};
  EXPECT_TRUE(same_values(model(x), amphora::tanh(relu(x)).to_doubles()));
  nn::Sequential empty;
  EXPECT_TRUE(empty(x).is_same(x));
}

TEST_P(NnModule, LinearIsTheOpOnItsParameters) {
  nn::Linear layer(*device, source, 3, 4, {.activation = Activation::relu});
  EXPECT_TRUE(same_values(layer(x), linear(x, layer.weight(), layer.bias(), Activation::relu).to_doubles()));
  nn::Linear bare(*device, source, 3, 4, {.bias = false});
  EXPECT_TRUE(same_values(bare(x), linear(x, bare.weight()).to_doubles()));
  EXPECT_THROW(nn::Linear(*device, source, 0, 4), Error);
  EXPECT_THROW(nn::Linear(*device, source, 3, -1), Error);
}

TEST_P(NnModule, LinearStartsWithinOneOverTheRootOfItsInputs) {
  nn::Linear layer(*device, source, 100, 50);
  double largest = 0;
  for (const double w : layer.weight().tensor().to_doubles()) largest = std::max(largest, std::abs(w));
  EXPECT_LE(largest, 0.1f);
  EXPECT_GT(largest, 0.099);  // of 5000 draws: (0.99)^5000 is the chance to miss
  for (const double w : layer.bias().tensor().to_doubles()) EXPECT_LE(std::abs(w), 0.1f);
}

TEST_P(NnModule, TheSameSeedGivesTheSameModel) {
  RandomSource first(11);
  RandomSource second(11);
  RandomSource other(12);
  const auto weights = [&](RandomSource& from) { return bytes_of(nn::Linear(*device, from, 3, 4).weight().tensor()); };
  const auto reference = weights(first);
  EXPECT_EQ(weights(second), reference);
  EXPECT_NE(weights(other), reference);
  EXPECT_NE(weights(first), reference) << "the next layer draws from another stream";
}

TEST_P(NnModule, DropoutIsActiveWhileTraining) {
  nn::Dropout dropout(source, 0.5f);
  const Tensor ones = Tensor::full(*device, {1000}, 1);
  const Values first = dropout(ones).to_doubles();
  const Values second = dropout(ones).to_doubles();
  EXPECT_FALSE(same_values(first, second)) << "each call has a mask of its own";
  dropout.eval();
  EXPECT_TRUE(dropout(ones).is_same(ones));
  dropout.train();
  EXPECT_FALSE(dropout(ones).is_same(ones));
  nn::Dropout none(source, 0.0f);
  EXPECT_TRUE(none(ones).is_same(ones));
  for (const float p : {-0.5f, 1.0f}) EXPECT_THROW(nn::Dropout(source, p), Error);
}

TEST_P(NnModule, TheModeReachesEverySubmodule) {
  const auto inner = std::make_shared<nn::Dropout>(source, 0.5f);
  const auto middle = std::make_shared<nn::Sequential>();
  middle->add(inner);
  nn::Sequential model;
  model.add(middle);
  EXPECT_TRUE(inner->is_training());
  model.eval();
  EXPECT_FALSE(inner->is_training());
  model.train();
  EXPECT_TRUE(inner->is_training());
}

TEST_P(NnModule, AModelTrains) {
  // Fits y = (x0 > x1) on fixed points: the loss must fall far below its start of about log 2.
  nn::Sequential model(nn::Linear(*device, source, 2, 16, {.activation = Activation::tanh}),
                       nn::Linear(*device, source, 16, 2));
  optim::Adam adam(model.parameters(), {.lr = 0.02f});
  amp::GradScaler scaler;
  const Tensor points = tensor({6, 2}, {0, 1, 1, 0, 0.5, 0.9, 0.8, 0.1, -1, 1, 1, -1});
  const Tensor classes = labels({0, 1, 0, 1, 0, 1});
  double first = 0;
  double last = 0;
  for (int step = 0; step < 60; ++step) {
    Tensor loss;
    {
      const amp::Autocast region(DType::f16);
      loss = cross_entropy(model(points), classes);
    }
    scaler.scale(loss).backward();
    scaler.step(adam);
    scaler.update();
    adam.zero_grad();
    last = loss.item();
    if (step == 0) first = last;
  }
  EXPECT_GT(first, 0.3);
  EXPECT_LT(last, 0.1);
}

TEST(NnInit, FansOfAWeight) {
  EXPECT_EQ(nn::fans_of({8, 4}).in, 4);
  EXPECT_EQ(nn::fans_of({8, 4}).out, 8);
  EXPECT_EQ(nn::fans_of({8, 4, 3, 3}).in, 36);
  EXPECT_EQ(nn::fans_of({8, 4, 3, 3}).out, 72);
  EXPECT_THROW(nn::fans_of({8}), Error);
}

TEST(NnInit, DistributionsHaveTheirBoundsAndDeviations) {
  const Shape shape{200, 300};
  const double n = 60'000;
  const auto check = [&](const std::vector<float>& values, double deviation, double bound) {
    double mean = 0;
    double square = 0;
    for (const float value : values) {
      mean += value / n;
      square += static_cast<double>(value) * value / n;
      ASSERT_LE(std::abs(value), bound);
    }
    // Five standard errors; that of a variance is at most sqrt(2 / n) of it, the normal distribution's.
    EXPECT_NEAR(mean, 0, 5 * deviation / std::sqrt(n));
    EXPECT_NEAR(square, deviation * deviation, 5 * deviation * deviation * std::sqrt(2 / n));
  };
  const RandomStream stream{1, 2};
  const double root3 = std::sqrt(3.0);
  const double he = std::sqrt(2.0 / 300);
  const double glorot = std::sqrt(2.0 / 500);
  const auto gain = static_cast<float>(std::sqrt(2.0));
  check(nn::uniform(shape, -0.5f, 0.5f, stream), 1 / std::sqrt(12.0), 0.5);
  check(nn::normal(shape, 0, 2, stream), 2, kInf);
  check(nn::kaiming_uniform(shape, gain, stream), he, he * root3 * (1 + 1e-6));
  check(nn::kaiming_normal(shape, gain, stream), he, kInf);
  check(nn::xavier_uniform(shape, 1, stream), glorot, glorot * root3 * (1 + 1e-6));
  check(nn::xavier_normal(shape, 1, stream), glorot, kInf);
}

}  // namespace
}  // namespace amphora::testing
