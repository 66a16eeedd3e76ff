// Modules and the basic layers.
#include <cmath>

#include "support/cpu_test.h"
#include "support/saved_state.h"

namespace amphora::testing {
namespace {

class NnModule : public CpuTest {
 protected:
  RandomSource source{3};
  nn::Init init{*device, source};
  Tensor x = tensor({2, 3}, {1, -2, 3, -4, 5, -6});
};
AMPHORA_ON_CPU(NnModule);

TEST_P(NnModule, ParametersHavePathsInTheOrderOfRegistration) {
  nn::Sequential model(nn::Linear(init, 3, 4), nn::ReLU(), nn::Sequential(nn::Linear(init, 4, 2, {.bias = false})));
  std::vector<std::string> paths;
  for (const auto& [path, parameter] : model.named_parameters()) paths.push_back(path);
  EXPECT_EQ(paths, (std::vector<std::string>{"0.weight", "0.bias", "2.0.weight"}));
  EXPECT_EQ(model.parameters().size(), 3u);
  EXPECT_EQ(model(x).shape(), (Shape{2, 2}));
}

TEST_P(NnModule, ATiedParameterAppearsOnce) {
  const auto shared = std::make_shared<nn::Linear>(init, 3, 3);
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
  nn::Linear layer(init, 3, 4, {.activation = Activation::relu});
  EXPECT_TRUE(same_values(layer(x), linear(x, layer.weight(), layer.bias(), Activation::relu).to_doubles()));
  nn::Linear bare(init, 3, 4, {.bias = false});
  EXPECT_TRUE(same_values(bare(x), linear(x, bare.weight()).to_doubles()));
  EXPECT_THROW(nn::Linear(init, 0, 4), Error);
  EXPECT_THROW(nn::Linear(init, 3, -1), Error);
}

TEST_P(NnModule, LinearStartsWithinOneOverTheRootOfItsInputs) {
  nn::Linear layer(init, 100, 50);
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
  const auto weights = [&](RandomSource& from) {
    return bytes_of(nn::Linear({*device, from}, 3, 4).weight().tensor());
  };
  const auto reference = weights(first);
  EXPECT_EQ(weights(second), reference);
  EXPECT_NE(weights(other), reference);
  EXPECT_NE(weights(first), reference) << "the next layer draws from another stream";
}

TEST_P(NnModule, DropoutIsActiveWhileTraining) {
  nn::Dropout dropout(init, 0.5f);
  const Tensor ones = Tensor::full(*device, {1000}, 1);
  const Values first = dropout(ones).to_doubles();
  const Values second = dropout(ones).to_doubles();
  EXPECT_FALSE(same_values(first, second)) << "each call has a mask of its own";
  dropout.eval();
  EXPECT_TRUE(dropout(ones).is_same(ones));
  dropout.train();
  EXPECT_FALSE(dropout(ones).is_same(ones));
  nn::Dropout none(init, 0.0f);
  EXPECT_TRUE(none(ones).is_same(ones));
  for (const float p : {-0.5f, 1.0f}) EXPECT_THROW(nn::Dropout(init, p), Error);
}

TEST_P(NnModule, TheModeReachesEverySubmodule) {
  const auto inner = std::make_shared<nn::Dropout>(init, 0.5f);
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

// Two inputs, two results, and every kind of part.
class Cell : public nn::Callable<std::pair<Tensor, Tensor>(const Tensor& x, const Tensor& h)> {
 public:
  explicit Cell(const nn::Init& init)
      : input_(init, 3, 3), gain_(init.device, "gain", {3}, std::vector<float>{1, 2, 3}) {
    heads_.emplace_back(init, 3, 2, nn::LinearOptions{.bias = false});
    heads_.emplace_back(init, 3, 2, nn::LinearOptions{.bias = false});
    mean_ = Tensor::zeros(init.device, {3});
  }
  void visit_parts(nn::PartVisitor& visit) override {
    visit("input", input_);
    visit("gain", gain_);
    visit("mean", mean_);
    visit("heads", heads_);
    visit("act", act_);
    visit("steps", steps_);
  }

 protected:
  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h) override {
    ++steps_;
    const Tensor next = act_(input_(x) * gain_.tensor() + h);
    const Tensor y = heads_[0](next);
    return {y + heads_[1](next), next};
  }

 private:
  nn::Linear input_;
  nn::Parameter gain_;
  Tensor mean_;
  std::vector<nn::Linear> heads_;
  nn::Tanh act_;
  std::uint32_t steps_ = 0;
};

TEST_P(NnModule, MembersAreListedOnceForEveryPurpose) {
  Cell cell(init);
  std::vector<std::string> paths;
  for (const nn::NamedPart& part : cell.named_parts()) paths.push_back(part.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"input", "input.weight", "input.bias", "gain", "mean", "heads.0",
                                             "heads.0.weight", "heads.1", "heads.1.weight", "act", "steps"}));
  EXPECT_EQ(cell.modules().size(), 5u);
  std::vector<std::string> names;
  for (const nn::Parameter& parameter : cell.parameters()) names.push_back(parameter.name());
  EXPECT_EQ(names,
            (std::vector<std::string>{"input.weight", "input.bias", "gain", "heads.0.weight", "heads.1.weight"}));
  cell.eval();
  for (const nn::Module* module : cell.modules()) EXPECT_FALSE(module->is_training());
  cell.set_requires_grad(false);
  for (const nn::Parameter& parameter : cell.parameters()) EXPECT_FALSE(parameter.requires_grad());
}

TEST_P(NnModule, ASummaryCountsParameters) {
  Cell cell(init);
  cell.named_parameters()[2].second.set_requires_grad(false);
  EXPECT_EQ(cell.summary(),
            "part            shape   elements\n"
            "input.weight    [3, 3]         9\n"
            "input.bias      [3]            3\n"
            "gain            [3]            3  frozen\n"
            "mean            [3]            3  buffer\n"
            "heads.0.weight  [2, 3]         6\n"
            "heads.1.weight  [2, 3]         6\n"
            "27 parameters, 24 of them trained\n");
}

TEST_P(NnModule, ACallHasTheSignatureOfForwardAndNamesItsParts) {
  Cell cell(init);
  const autograd::Trace trace;
  const auto [y, h] = cell(x, x);
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_EQ(h.shape(), (Shape{2, 3}));
  std::vector<std::string> where;
  for (const autograd::TraceLine& line : trace.lines()) where.push_back(line.op + "@" + line.where);
  EXPECT_EQ(where, (std::vector<std::string>{"linear@input", "mul@", "add@", "tanh@act", "linear@heads.0",
                                             "linear@heads.1", "add@"}));
}

TEST_P(NnModule, AMovedModuleKeepsItsParts) {
  Cell cell(init);
  const nn::Parameter before = cell.parameters().front();
  Cell moved = std::move(cell);
  EXPECT_TRUE(moved.parameters().front().is_same(before));
  EXPECT_EQ(moved(x, x).first.shape(), (Shape{2, 2}));
}

class Forgetful : public nn::Layer {
 public:
  explicit Forgetful(const nn::Init& init)
      : inner_(init, 3, 3), gain_(init.device, "gain", {}, std::vector<float>{2}) {}
  void visit_parts(nn::PartVisitor& visit) override {
    if (lists_inner) visit("inner", inner_);
  }
  bool lists_inner = false;
  bool reads_gain = false;

 protected:
  Tensor forward(const Tensor& x) override { return reads_gain ? x * gain_.tensor() : inner_(x); }

 private:
  nn::Linear inner_;
  nn::Parameter gain_;
};

TEST_P(NnModule, AMemberThatIsNotListedIsNoticed) {
  Forgetful model(init);
  EXPECT_NE(message_of([&] { model(x); }).find("list"), std::string::npos);
  {
    const autograd::NoGrad evaluation;
    EXPECT_NO_THROW(model(x));
  }
  model.lists_inner = true;
  EXPECT_NO_THROW(model(x));
  model.reads_gain = true;
  EXPECT_NE(message_of([&] { model(x); }).find("'gain' is used in a forward pass, but is not listed"),
            std::string::npos);
}

class Doubled : public nn::Layer {
 public:
  explicit Doubled(const nn::Init& init) : a_(init, 3, 3), b_(init, 3, 3) {}
  void visit_parts(nn::PartVisitor& visit) override {
    visit("a", a_);
    visit("a", b_);
  }

 protected:
  Tensor forward(const Tensor& x) override { return b_(a_(x)); }

 private:
  nn::Linear a_;
  nn::Linear b_;
};

TEST_P(NnModule, TwoPartsOfOneNameAreAnError) {
  Doubled model(init);
  EXPECT_EQ(message_of([&] { model.parameters(); }), "two parts of a module are called 'a'");
}

TEST_P(NnModule, SequentialGivesItsLayers) {
  nn::Sequential model(nn::Linear(init, 3, 4), nn::ReLU());
  EXPECT_EQ(model.size(), 2u);
  EXPECT_EQ(dynamic_cast<nn::Linear&>(model[0]).weight().shape(), (Shape{4, 3}));
  EXPECT_THROW(model[2], Error);
  EXPECT_THROW(model.add(nullptr), Error);
}

// A run whose model, scaler, average and masks are kept in the middle and go on in fresh objects has the bits of one
// that was not interrupted. SGD without momentum keeps nothing.
TEST_P(NnModule, ARunThatIsSavedAndResumedHasTheSameBits) {
  struct Run {
    Run(Device& on, std::uint64_t seed)
        : random(seed),
          model(nn::Linear({on, random}, 3, 8, {.activation = Activation::gelu}), nn::Dropout({on, random}, 0.4f),
                nn::Linear({on, random}, 8, 2)),
          sgd(model.parameters(), {.lr = 0.1f}),
          ema(model.parameters(), 0.75f) {}
    void step(const Tensor& batch, const Tensor& classes) {
      Tensor loss;
      {
        const amp::Autocast region(DType::f16);
        loss = cross_entropy(model(batch), classes);
      }
      scaler.scale(loss).backward();
      scaler.step(sgd);
      scaler.update();
      sgd.zero_grad();
      ema.update();
    }
    void visit_state(StateVisitor& visitor) {
      const auto show = [&](const char* name, auto& part) {
        const StateVisitor::Scope scope(visitor, name);
        part.visit_state(visitor);
      };
      show("model", model);
      show("scaler", scaler);
      show("ema", ema);
    }
    RandomSource random;
    nn::Sequential model;
    optim::Sgd sgd;
    amp::GradScaler scaler{{.init_scale = 0x1p22f, .growth_interval = 3}};  // the first steps overflow
    optim::Ema ema;
  };
  const Tensor classes = labels({1, 0});
  Run whole(*device, 5);
  for (int i = 0; i < 12; ++i) whole.step(x, classes);
  const SavedState middle = saved(whole);
  EXPECT_GT(middle.numbers.at("scaler.skipped"), 0);
  EXPECT_LT(middle.numbers.at("scaler.skipped"), 12);
  EXPECT_EQ(middle.numbers.at("model.1.calls"), 12);
  EXPECT_EQ(middle.tensors.size(), 8u);

  Run resumed(*device, 5);
  for (const nn::Parameter& parameter : resumed.model.parameters()) {
    parameter.tensor().assign(std::vector<float>(static_cast<std::size_t>(parameter.count()), 0.0f));
  }
  restore(resumed, middle);
  EXPECT_EQ(saved(resumed), middle);
  for (int i = 0; i < 5; ++i) {
    whole.step(x, classes);
    resumed.step(x, classes);
  }
  EXPECT_EQ(saved(resumed), saved(whole));
  EXPECT_NE(saved(whole), middle);
}

TEST_P(NnModule, AModelTrains) {
  // Fits y = (x0 > x1) on fixed points: the loss must fall far below its start of about log 2.
  nn::Sequential model(nn::Linear(init, 2, 16, {.activation = Activation::tanh}), nn::Linear(init, 16, 2));
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
