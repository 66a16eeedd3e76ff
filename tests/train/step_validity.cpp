// A recorded step is the body's, whatever the program does beside it: each case is run eagerly and recorded, on every
// backend, and must come to the value that the program's text says.
#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "support/backends.h"
#include "support/cpu_test.h"

namespace amphora {
namespace {

using testing::TestedBackend;

struct Way {
  TestedBackend backend;
  bool eager = false;
};

class StepValidity : public ::testing::TestWithParam<Way> {
 protected:
  Tensor one(float value) const { return Tensor::full(*device_, {1}, value); }
  nn::Parameter parameter(const char* name, float value) const {
    const float values[] = {value};
    return {*device_, name, {1}, values};
  }
  static float get(const Tensor& tensor) { return tensor.to_vector()[0]; }
  bool eager() const { return GetParam().eager; }
  train::StepOptions options() const { return {.eager = eager()}; }
  // w -= lr * d(loss)
  static Tensor update(const Tensor& loss, optim::Optimizer& optimizer) {
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    return loss;
  }
  // What twelve steps of `body`, which gets the step's number, leave of a weight of 0 at a rate of 1.
  template <class Body>
  float after_twelve_steps(const Body& body) {
    const nn::Parameter w = parameter("w", 0);
    optim::Sgd sgd({w}, {.lr = 1});
    int number = 0;
    train::Step step(
        *device_, [&](const Tensor& batch) { return body(number, batch, w, sgd); }, options());
    const Tensor x = one(1);
    for (; number < 12; ++number) step(x);
    EXPECT_EQ(step.reason_against_replay().empty(), eager());
    return get(w.tensor());
  }

  std::shared_ptr<Device> device_ = GetParam().backend.open(GetParam().backend.row, {.threads = 1});
};

// ---- what lies where ----

TEST_P(StepValidity, ABatchThatHoldsOneTensorTwiceStandsForNoOther) {
  const Tensor x = one(2);
  const Tensor y = one(3);
  train::Step step(
      *device_, [](const std::vector<Tensor>& batch) { return sum(batch[0] * batch[1]); }, options());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(step(std::vector<Tensor>{x, x}).loss(), 4);
  EXPECT_EQ(step(std::vector<Tensor>{x, y}).loss(), 6);
  EXPECT_EQ(step(std::vector<Tensor>{y, y}).loss(), 9);
}

TEST_P(StepValidity, ATensorOfTheBodyStaysItselfWhereItIsTheBatch) {
  const Tensor x = one(2);
  const Tensor y = one(3);
  train::Step step(
      *device_, [&](const Tensor& batch) { return sum(batch * x); }, options());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(step(x).loss(), 4);
  EXPECT_EQ(step(y).loss(), 6);
}

TEST_P(StepValidity, ABatchThatIsAWeightIsReadWhenTheBodyReadsIt) {
  const nn::Parameter w = parameter("w", 1);
  optim::Sgd sgd({w}, {.lr = 1});
  train::Step step(
      *device_,
      [&](const Tensor& batch) {
        update(sum(w.tensor()), sgd);
        return sum(batch);  // the weight as it is now
      },
      options());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(step(one(7)).loss(), 7);
  for (int i = 5; i < 9; ++i) EXPECT_EQ(step(w.tensor().detach()).loss(), 1 - i);
  // From the first batch on, too; the body runs twice where it is found out, and once in each step after that.
  int runs = 0;
  train::Step always(
      *device_,
      [&](const Tensor& batch) {
        ++runs;
        update(sum(w.tensor()), sgd);
        return sum(batch);
      },
      options());
  for (int i = 9; i < 15; ++i) EXPECT_EQ(always(w.tensor().detach()).loss(), 1 - i);
  EXPECT_EQ(runs, eager() ? 6 : 7);
}

TEST_P(StepValidity, ResultsThatArePartsOfTheBatchAreThatBatchs) {
  train::Step step(
      *device_,
      [](const Tensor& batch) {
        return std::vector<Tensor>{sum(batch), slice(batch, 0, 1, 1)};
      },
      options());
  for (int i = 0; i < 8; ++i) {
    const float values[] = {1, static_cast<float>(i)};
    EXPECT_EQ(step(Tensor::from(*device_, {2}, values)).value(1), i);
  }
}

TEST_P(StepValidity, ABodyMayWriteIntoItsBatch) {
  train::Step step(
      *device_,
      [](const Tensor& batch) {
        launch_fill(batch, 5);
        return sum(batch);
      },
      options());
  const Tensor many = Tensor::zeros(*device_, {16});
  for (int i = 0; i < 8; ++i) {
    const Tensor x = one(1);
    EXPECT_EQ(step(x).loss(), 5);
    EXPECT_EQ(get(x), 5) << "batch " << i;
    const Tensor part = slice(many, 0, i, 1);
    step(part);
    EXPECT_EQ(get(part), 5) << "part " << i;
  }
}

TEST_P(StepValidity, WeightsThatMoveAreFoundWhereTheyAre) {
  const nn::Parameter w = parameter("w", 1);
  const nn::Parameter v = parameter("v", 1);
  const Tensor x = one(1);
  train::Step evaluate(
      *device_,
      [&](const Tensor& batch) {
        const autograd::NoGrad off;
        return sum(batch * w.tensor() * v.tensor());
      },
      options());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(evaluate(x).loss(), 1);
  optim::Sgd sgd({w, v}, {.lr = 0.25f});  // gathers them
  update(sum(w.tensor() + v.tensor()), sgd);
  EXPECT_EQ(evaluate(x).loss(), 0.5625);
}

TEST_P(StepValidity, FrozenWeightsMayMoveToo) {
  const nn::Parameter body = parameter("body", 2);
  const nn::Parameter neck = parameter("neck", 1);
  const nn::Parameter head = parameter("head", 1);
  const auto freeze = [&](bool on) {
    body.set_requires_grad(!on);
    neck.set_requires_grad(!on);
  };
  freeze(true);
  optim::Sgd first({head}, {.lr = 0});
  train::Step step(
      *device_, [&](const Tensor& b) { return update(sum(b * body.tensor() * neck.tensor() * head.tensor()), first); },
      options());
  const Tensor x = one(1);
  for (int i = 0; i < 4; ++i) step(x);
  freeze(false);
  optim::Sgd second({body, neck}, {.lr = 0.5f});
  update(sum(body.tensor() + neck.tensor()), second);
  freeze(true);
  EXPECT_EQ(step(x).loss(), 0.75);
}

TEST_P(StepValidity, AveragesThatAreSwappedWithinAStepLeaveTheMastersCopyStale) {
  const float eight[] = {8};
  const nn::Parameter w(*device_, "w", {1, 1}, eight);
  optim::Sgd sgd({w}, {.lr = 1});
  optim::Ema ema({w}, 0.75f);
  const Tensor x = Tensor::full(*device_, {1, 1}, 1);
  train::Step step(
      *device_,
      [&](const Tensor& batch) {
        const amp::Autocast autocast(DType::f16);
        const Tensor loss = update(sum(matmul(batch, w.tensor())), sgd);
        ema.update();
        const autograd::NoGrad off;
        const optim::Ema::Scope averaged(ema);
        return std::vector<Tensor>{loss, sum(matmul(batch, w.tensor()))};
      },
      options());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(step(x).loss(), 8 - i);
}

// ---- what the host changes ----

TEST_P(StepValidity, AScheduleMayComeAndGo) {
  const nn::Parameter w = parameter("w", 0);
  optim::Sgd sgd({w}, {.lr = 1});
  train::Step step(
      *device_, [&](const Tensor& batch) { return update(sum(w.tensor() * batch), sgd); }, options());
  const Tensor x = one(1);
  for (int i = 0; i < 4; ++i) step(x);
  EXPECT_EQ(get(w.tensor()), -4);
  sgd.follow(optim::constant(0.25f));
  for (int i = 0; i < 4; ++i) step(x);
  EXPECT_EQ(get(w.tensor()), -5);
  sgd.follow(optim::constant(0.5f));
  for (int i = 0; i < 4; ++i) step(x);
  EXPECT_EQ(get(w.tensor()), -7);
  sgd.follow({});
  sgd.set_lr(0.125f);
  for (int i = 0; i < 8; ++i) step(x);
  EXPECT_EQ(get(w.tensor()), -8);
}

TEST_P(StepValidity, AGroupThatThawsHasTheSchedulesRate) {
  const nn::Parameter a = parameter("a", 0);
  const nn::Parameter b = parameter("b", 0);
  optim::Sgd sgd(std::vector<optim::SgdGroup>{{{a}, {.lr = 1}}, {{b}, {.lr = 1}}});
  sgd.follow([](std::int64_t step) { return step < 5 ? 1.0f : 0.125f; });
  b.set_requires_grad(false);
  train::Step step(
      *device_, [&](const Tensor& x) { return update(sum(a.tensor() * x + b.tensor() * x), sgd); }, options());
  const Tensor x = one(1);
  for (int i = 0; i < 12; ++i) {
    if (i == 10) b.set_requires_grad(true);
    step(x);
  }
  EXPECT_EQ(get(b.tensor()), -0.25);
}

TEST_P(StepValidity, ACounterInTheBodyMakesItEager) {
  for (const int every : {2, 3, 4, 8, 16}) {
    const nn::Parameter w = parameter("w", 0);
    optim::Sgd sgd({w}, {.lr = 1});
    int count = 0;
    train::Step step(
        *device_,
        [&](const Tensor& batch) {
          const Tensor loss = sum(w.tensor() * batch);
          loss.backward();
          if (++count % every == 0) {
            sgd.step();
            sgd.zero_grad();
          }
          return loss;
        },
        options());
    const Tensor x = one(1);
    for (int i = 0; i < 48; ++i) step(x);
    EXPECT_EQ(get(w.tensor()), -48) << "a step every " << every << " batches";
    // Of two batches one overwrites gradients and one adds to them, which are two plans without a counter.
    EXPECT_TRUE(every == 2 || step.reason_against_replay().empty() == eager()) << every;
  }
}

TEST_P(StepValidity, NumbersThatChangeLaterAreFound) {
  EXPECT_EQ(after_twelve_steps([](int i, const Tensor& b, const nn::Parameter& w, optim::Sgd& sgd) {
              return update(sum(w.tensor() * b) * (i < 6 ? 1.0f : 0.5f), sgd);
            }),
            -9)
      << "the weight of a loss";
  EXPECT_NEAR(after_twelve_steps([](int i, const Tensor& b, const nn::Parameter& w, optim::Sgd& sgd) {
                const Tensor loss = sum(w.tensor() * b * 4.0f);
                loss.backward();
                optim::clip_grad_norm(std::vector<nn::Parameter>{w}, i < 6 ? 1.0f : 0.5f);
                sgd.step();
                sgd.zero_grad();
                return loss;
              }),
              -9, 1e-4)  // clipping divides by the norm and 1e-6
      << "a clipping limit";
  EXPECT_EQ(after_twelve_steps([](int i, const Tensor& b, const nn::Parameter& w, optim::Sgd& sgd) {
              return update(i < 6 ? sum(w.tensor() * b) : sum(w.tensor() * b + w.tensor()), sgd);
            }),
            -18)
      << "a branch";
  EXPECT_EQ(after_twelve_steps([](int i, const Tensor& b, const nn::Parameter& w, optim::Sgd& sgd) {
              sgd.set_lr(i < 6 ? 1.0f : 0.5f);
              return update(sum(w.tensor() * b), sgd);
            }),
            -9)
      << "a rate that the body sets";
  Tensor mask = one(1);
  EXPECT_EQ(after_twelve_steps([&](int i, const Tensor& b, const nn::Parameter& w, optim::Sgd& sgd) {
              if (i == 6) mask = one(0.5f);
              return update(sum(w.tensor() * b * mask), sgd);
            }),
            -9)
      << "a captured tensor";
}

TEST_P(StepValidity, APartThatIsAddedToAModelRuns) {
  nn::Sequential model(nn::ReLU{});
  train::Step step(
      *device_, [&](const Tensor& batch) { return sum(model(batch)); }, options());
  const Tensor x = one(1);
  for (int i = 0; i < 4; ++i) step(x);
  model.add(std::make_shared<nn::Sigmoid>());
  EXPECT_NEAR(step(x).loss(), 1 / (1 + std::exp(-1.0)), 1e-6);
}

// ---- what goes wrong ----

TEST_P(StepValidity, AnExceptionInABodyLeavesWhatWasBefore) {
  for (int thrown = 0; thrown < 6; ++thrown) {
    const nn::Parameter w = parameter("w", 0);
    optim::Sgd sgd({w}, {.lr = 1});
    amp::GradScaler scaler({.init_scale = 4});
    int now = 0;
    train::Step step(
        *device_,
        [&](const Tensor& batch) {
          const Tensor loss = sum(w.tensor() * batch);
          scaler.scale(loss).backward();
          if (now == thrown) throw std::runtime_error("a bad batch");
          scaler.step(sgd);
          scaler.update();
          sgd.zero_grad();
          return loss;
        },
        options());
    for (now = 0; now < 6; ++now) {
      try {
        step(one(static_cast<float>(1 << now)));
      } catch (const std::runtime_error&) {
        sgd.zero_grad();  // as a program does that goes on
      }
    }
    EXPECT_EQ(get(w.tensor()), -(63 - (1 << thrown))) << "thrown in step " << thrown;
  }
}

TEST_P(StepValidity, AnExceptionAfterWeightsWereAssignedLeavesTheirCopyStale) {
  const float four[] = {4};
  nn::Parameter w(*device_, "w", {1, 1}, four);
  const Tensor x = Tensor::full(*device_, {1, 1}, 1);
  bool throws = false;
  train::Step step(
      *device_,
      [&](const Tensor& batch) {
        const amp::Autocast autocast(DType::f16);
        const Tensor loss = sum(matmul(batch, w.tensor()));
        if (throws) throw std::runtime_error("a bad batch");
        return loss;
      },
      options());
  const auto assign = [&w](int number) {
    const float value[] = {static_cast<float>(number)};
    Tensor master = w.tensor();
    master.assign(std::span<const float>(value));
  };
  for (int i = 1; i < 60; i += 2) {
    assign(i);
    EXPECT_EQ(step(x).loss(), i);
    assign(i + 1);
    throws = i % 4 == 1;  // where the copy is stale, and the step is captured or verified
    if (throws) {
      EXPECT_THROW(step(x), std::runtime_error);
    }
    throws = false;
    EXPECT_EQ(step(x).loss(), i + 1);
  }
}

// ---- what a step may be ----

TEST_P(StepValidity, ABodyMayMakeLeaves) {
  const nn::Parameter w = parameter("w", 2);
  train::Step step(
      *device_,
      [&](const Tensor& batch) {
        Tensor x = batch.detach();
        x.set_requires_grad();
        sum(x * w.tensor()).backward();
        w.tensor().clear_grad();
        return sum(x.grad());
      },
      options());
  const Tensor x = one(1);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(step(x).loss(), 2);
  EXPECT_EQ(step.plans().empty(), eager());
}

TEST_P(StepValidity, ResultsOfAnyShapeStayWhatTheyAre) {
  train::Step infer(
      *device_, [](const Tensor& batch) { return batch * 2.0f; }, options());
  std::vector<Tensor> results;
  for (int i = 0; i < 6; ++i) {
    results.push_back(infer(Tensor::full(*device_, {2, 3}, i)).tensor(0));
  }
  for (int i = 0; i < 6; ++i) {
    const Tensor& result = results[static_cast<std::size_t>(i)];
    EXPECT_EQ(result.shape(), (Shape{2, 3}));
    EXPECT_EQ(result.to_vector(), std::vector<float>(6, 2.0f * static_cast<float>(i)));
  }
}

TEST_P(StepValidity, ABodyTakesAnyArguments) {
  train::Step none(
      *device_, [&] { return one(3); }, options());
  train::Step two(
      *device_, [](const Tensor& a, const std::pair<Tensor, float>& b) { return sum(a) + sum(b.first) * b.second; },
      options());
  train::Step array(
      *device_, [](const std::array<Tensor, 2>& batch) { return sum(batch[0] - batch[1]); }, options());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(none().loss(), 3);
    EXPECT_EQ(two(one(1), {one(10), 2.0f}).loss(), 21);
    EXPECT_EQ(array({one(5), one(static_cast<float>(i))}).loss(), 5 - i);
  }
  EXPECT_EQ(two(one(1), {one(10), 3.0f}).loss(), 31) << "another number is a step of another kind";
}

std::vector<Way> ways() {
  std::vector<Way> result;
  for (const TestedBackend& backend : testing::tested_backends()) {
    if (!backend.row.computes || !backend.status(backend.row).available) continue;
    for (const bool eager : {true, false}) result.push_back({backend, eager});
  }
  return result;
}

std::string way_name(const ::testing::TestParamInfo<Way>& info) {
  return std::string(info.param.backend.name) + (info.param.eager ? "_eager" : "_recorded");
}

INSTANTIATE_TEST_SUITE_P(, StepValidity, ::testing::ValuesIn(ways()), way_name);

}  // namespace
}  // namespace amphora
