// train::Step: when it replays, when it does not, and what it says.
#include "amphora/train/step.h"

#include <cmath>

#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "support/cpu_test.h"
#include "support/variable.h"

namespace amphora {
namespace {

using testing::message_of;

// y = x w + b on a batch of two, by plain gradient descent.
class StepTest : public ::testing::Test {
 protected:
  using Body = std::function<Tensor(const Tensor&)>;

  Tensor batch(float first, float second) { return Tensor::from(*device_, {2, 1}, std::vector<float>{first, second}); }
  Tensor loss_of(const Tensor& x) { return mean(square(model_(x) - Tensor::full(*device_, {2, 1}, 1.0))); }
  Tensor train(const Tensor& x) {
    Tensor loss = loss_of(x);
    loss.backward();
    optimizer_.step();
    optimizer_.zero_grad();
    ++runs_;
    return loss;
  }
  std::vector<float> weights() {
    std::vector<float> all = model_.weight().tensor().to_vector();
    all.push_back(static_cast<float>(model_.bias().tensor().item()));
    return all;
  }

  std::shared_ptr<Device> device_ = open_device("cpu", {.threads = 1});
  RandomSource random_{5};
  nn::Linear model_{{*device_, random_}, 1, 1};
  optim::Sgd optimizer_{model_.parameters(), {.lr = 0.1f}};
  int runs_ = 0;  // of the body
};

TEST_F(StepTest, RunsTheBodyThreeTimesAndThenReplays) {
  train::Step step(*device_, [this](const Tensor& x) { return train(x); }, {.verify = train::Verify::never});
  const Tensor x = batch(1.0f, 2.0f);
  for (int i = 0; i < 10; ++i) step(x);
  EXPECT_EQ(runs_, 3);
  ASSERT_EQ(step.plans().size(), 1u);
  EXPECT_EQ(step.reason_against_replay(), "");
}

TEST_F(StepTest, VerifiesTheFirstReplaysAndThenFewer) {
  for (const auto& [verify, most] : {std::pair(train::Verify::always, 600), std::pair(train::Verify::regularly, 500)}) {
    runs_ = 0;
    train::Step step(*device_, [this](const Tensor& x) { return train(x); }, {.verify = verify});
    const Tensor x = batch(1.0f, 2.0f);
    for (int i = 0; i < 30; ++i) step(x);
    EXPECT_EQ(runs_, 30);
    for (int i = 30; i < 600; ++i) step(x);
    EXPECT_GE(runs_, 1 + 32 + 4) << "one is eager, 32 are captured, 64, 128, 256 and 512 are verified";
    EXPECT_LE(runs_, most);
    EXPECT_EQ(step.reason_against_replay(), "");
  }
}

TEST_F(StepTest, SaysHowManyStepsMayHaveBeenStale) {
  float weight = 1.0f;
  train::Step step(*device_, [&](const Tensor& x) { return sum(x) * weight; });
  const Tensor x = batch(1.0f, 2.0f);
  for (int i = 0; i < 100; ++i) step(x);
  weight = 2.0f;
  for (int i = 0; i < 200; ++i) step(x);
  EXPECT_EQ(step(x).loss(), 6);
  const std::string reason = step.reason_against_replay();
  EXPECT_NE(reason.find("affine"), std::string::npos) << reason;
  EXPECT_NE(reason.find("since the last check"), std::string::npos) << reason;
}

TEST_F(StepTest, EvictsThePlanUsedLeastRecentlyAndSaysSo) {
  train::Step step(*device_, [](const Tensor& x) { return sum(x); }, {.max_plans = 2});
  for (int i = 0; i < 5; ++i) {
    for (const int size : {3, 4}) EXPECT_EQ(step(Tensor::full(*device_, {size}, 1)).loss(), size);
  }
  EXPECT_EQ(step.plans().size(), 2u);
  EXPECT_EQ(step.reason_against_replay(), "");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(step(Tensor::full(*device_, {5}, 1)).loss(), 5);
  EXPECT_EQ(step.plans().size(), 2u);
  EXPECT_NE(step.reason_against_replay().find("max_plans"), std::string::npos) << step.reason_against_replay();
}

TEST_F(StepTest, SaysSoWhereEachStepTakesAnotherCourse) {
  int frame = 0;
  train::Step step(*device_, [](const Tensor& x, int) { return sum(x); });
  const Tensor x = batch(1.0f, 2.0f);
  for (; frame < 20; ++frame) EXPECT_EQ(step(x, frame).loss(), 3);
  EXPECT_NE(step.reason_against_replay().find("another course"), std::string::npos) << step.reason_against_replay();
}

TEST_F(StepTest, GivesTheLossOfEachStepHoweverLateItIsRead) {
  std::vector<double> eager;
  std::vector<double> replayed;
  for (const bool is_eager : {true, false}) {
    RandomSource random(9);
    nn::Linear model({*device_, random}, 1, 1);
    optim::Sgd optimizer(model.parameters(), {.lr = 0.1f});
    train::Step step(*device_,
                     [&](const Tensor& x) {
                       Tensor loss = mean(square(model(x)));
                       loss.backward();
                       optimizer.step();
                       optimizer.zero_grad();
                       return loss;
                     },
                     {.eager = is_eager});
    std::vector<train::StepResult> results;
    const Tensor x = batch(1.0f, 2.0f);
    for (int i = 0; i < 20; ++i) results.push_back(step(x));
    for (const train::StepResult& result : results) (is_eager ? eager : replayed).push_back(result.loss());
  }
  EXPECT_EQ(replayed, eager);
  EXPECT_LT(replayed.back(), replayed.front());
}

TEST_F(StepTest, ReadsEachBatchWhereverItLies) {
  train::Step step(*device_, [](const Tensor& x) { return sum(x); });
  const Tensor all = Tensor::from(*device_, {40}, nn::uniform({40}, -1.0f, 1.0f, {3, 4}));
  const std::vector<float> values = all.to_vector();
  for (int i = 0; i < 10; ++i) {
    // A part of a larger buffer, then a buffer of its own that is new each time.
    const Tensor part = slice(all, 0, 4 * i, 4);
    const std::vector<float> four(values.begin() + 4 * i, values.begin() + 4 * i + 4);
    const double expected = double{four[0]} + four[1] + four[2] + four[3];
    EXPECT_NEAR(step(part).loss(), expected, 1e-6) << i;
    EXPECT_NEAR(step(Tensor::from(*device_, {4}, four)).loss(), expected, 1e-6) << i;
  }
  EXPECT_EQ(step.plans().size(), 1u);
}

TEST_F(StepTest, HasAPlanForEachShapeInOneArena) {
  train::Step step(*device_, [](const Tensor& x) { return sum(exp(square(x))); });
  std::size_t small = 0;
  for (int i = 0; i < 5; ++i) {
    EXPECT_DOUBLE_EQ(step(Tensor::zeros(*device_, {100})).loss(), 100.0);
    if (i == 4) small = step.arena_bytes();
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_DOUBLE_EQ(step(Tensor::zeros(*device_, {1000})).loss(), 1000.0);
    EXPECT_DOUBLE_EQ(step(Tensor::zeros(*device_, {100})).loss(), 100.0);
  }
  EXPECT_EQ(step.plans().size(), 2u);
  std::size_t largest = 0;
  for (const train::StepPlan& plan : step.plans()) largest = std::max(largest, plan.memory->bytes);
  EXPECT_EQ(step.arena_bytes(), largest);
  EXPECT_GT(largest, small);
}

TEST_F(StepTest, SharesAnArenaWithAnotherStep) {
  const auto arena = std::make_shared<train::StepArena>();
  train::Step small(*device_, [](const Tensor& x) { return sum(exp(square(x))); }, {.arena = arena});
  train::Step large(*device_, [](const Tensor& x) { return sum(exp(square(x))); }, {.arena = arena});
  const Tensor few = Tensor::zeros(*device_, {100});
  const Tensor many = Tensor::zeros(*device_, {1000});
  for (int i = 0; i < 5; ++i) EXPECT_DOUBLE_EQ(small(few).loss(), 100.0);
  const std::size_t before = small.arena_bytes();
  for (int i = 0; i < 5; ++i) {
    EXPECT_DOUBLE_EQ(large(many).loss(), 1000.0);
    EXPECT_DOUBLE_EQ(small(few).loss(), 100.0);
  }
  EXPECT_GT(small.arena_bytes(), before);
  EXPECT_EQ(small.arena_bytes(), large.arena_bytes());
}

TEST_F(StepTest, ThatDependsOnANumberOfTheHostStaysEagerAndNamesTheCall) {
  float factor = 1.0f;
  train::Step step(*device_, [&](const Tensor& x) { return sum(x * (factor *= 2.0f)); });
  const Tensor x = batch(1.0f, 2.0f);
  ::testing::internal::CaptureStderr();
  for (int i = 1; i <= 6; ++i) EXPECT_DOUBLE_EQ(step(x).loss(), 3.0 * std::exp2(i)) << i;
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(step.plans().empty());
  EXPECT_NE(said.find("affine"), std::string::npos) << said;
  EXPECT_EQ(said.find("amphora: "), said.rfind("amphora: ")) << "said more than once: " << said;
  EXPECT_EQ(step.reason_against_replay() + "\n", said.substr(std::string("amphora: ").size()));
}

TEST_F(StepTest, WithOtherNumbersFromTheHostEachTimeStaysEager) {
  train::Step step(*device_, [this](const Tensor& x) {
    return sum(x * Tensor::from(*device_, {2, 1}, std::vector<float>(2, static_cast<float>(++runs_))));
  });
  ::testing::internal::CaptureStderr();
  for (int i = 1; i <= 6; ++i) EXPECT_DOUBLE_EQ(step(batch(1.0f, 2.0f)).loss(), 3.0 * i) << i;
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("numbers that the host has written"), std::string::npos);
  EXPECT_TRUE(step.plans().empty());
}

TEST_F(StepTest, KeepsAConstantThatTheHostWrites) {
  train::Step step(*device_, [this](const Tensor& x) {
    return sum(x * Tensor::from(*device_, {2, 1}, std::vector<float>{3.0f, 4.0f}));
  });
  for (int i = 1; i <= 6; ++i) EXPECT_DOUBLE_EQ(step(batch(1.0f, static_cast<float>(i))).loss(), 3.0 + 4.0 * i) << i;
  EXPECT_EQ(step.plans().size(), 1u);
}

TEST_F(StepTest, RefusesToReadWithinACaptureAndNamesTheOpAndThePlace) {
  train::Step step(*device_, [this](const Tensor& x) {
    Tensor loss = loss_of(x);
    if (loss.item() > 1e9) return loss * 0.5f;
    return loss;
  });
  const Tensor x = batch(1.0f, 2.0f);
  step(x);
  const std::string message = message_of([&] { step(x); });
  EXPECT_NE(message.find("tests/train/step.cpp:"), std::string::npos) << message;
  EXPECT_NE(message.find("AMPHORA_EAGER=1"), std::string::npos) << message;
  // Nothing of the capture is left: launches run again.
  EXPECT_EQ(Tensor::full(*device_, {}, 3.0).item(), 3.0);
}

TEST_F(StepTest, NamesTheModuleInWhichTheHostReads) {
  class Curious : public nn::Layer {
   protected:
    Tensor forward(const Tensor& x) override { return x.item() > 0.0 ? x : -x; }
  };
  nn::Sequential model;
  model.add(std::make_shared<Curious>());
  train::Step step(*device_, [&](const Tensor& x) { return sum(model(x)); });
  const Tensor x = Tensor::full(*device_, {1}, 2.0);
  step(x);
  const std::string message = message_of([&] { step(x); });
  EXPECT_NE(message.find("in 0"), std::string::npos) << message;
}

TEST_F(StepTest, RefusesToWriteOlderMemoryFromTheHostWithinACapture) {
  const Tensor target = Tensor::full(*device_, {2, 1}, 1.0);
  train::Step step(*device_, [&](const Tensor& x) {
    const float values[] = {static_cast<float>(++runs_), 1};
    device_->upload(*target.buffer(), 0, std::as_bytes(std::span(values)));
    return sum(x * target);
  });
  const Tensor x = batch(1.0f, 2.0f);
  step(x);
  const std::string message = message_of([&] { step(x); });
  EXPECT_NE(message.find("schedule"), std::string::npos) << message;
}

TEST_F(StepTest, FollowsASchedule) {
  optimizer_.follow([](std::int64_t step) { return 0.01f * static_cast<float>(step + 1); });
  train::Step step(*device_, [this](const Tensor& x) { return train(x); });
  const Tensor x = batch(1.0f, 2.0f);
  for (int i = 0; i < 8; ++i) {
    const std::vector<float> before = weights();
    step(x);
    EXPECT_EQ(optimizer_.lr(), 0.01f * static_cast<float>(i + 1));
    // d loss / d b = 2 mean(y - 1).
    const double w = before[0];
    const double b = before[1];
    const double gradient = 2.0 * ((w + b - 1.0) + (2.0 * w + b - 1.0)) / 2.0;
    EXPECT_NEAR(weights()[1], b - 0.01 * (i + 1) * gradient, 1e-6) << i;
  }
  EXPECT_EQ(step.plans().size(), 1u);
}

TEST_F(StepTest, TakesAnotherCourseWhileAParameterIsFrozen) {
  train::Step step(*device_, [this](const Tensor& x) { return train(x); }, {.verify = train::Verify::never});
  const Tensor x = batch(1.0f, 2.0f);
  const auto run = [&](bool frozen) {
    nn::Parameter bias = model_.bias();
    bias.set_requires_grad(!frozen);
    for (int i = 0; i < 6; ++i) {
      const std::vector<float> before = weights();
      step(x);
      EXPECT_EQ(weights()[1] == before[1], frozen) << i;
      EXPECT_NE(weights()[0], before[0]) << i;
    }
  };
  run(false);
  run(true);
  run(false);  // the bias has taken fewer steps by now than the weight, so it is updated apart
  const int so_far = runs_;
  run(true);
  run(false);
  EXPECT_EQ(runs_, so_far) << "a known course is captured again";
  EXPECT_EQ(step.plans().size(), 3u);
}

TEST_F(StepTest, SeesMastersThatTheHostHasChanged) {
  train::Step step(*device_, [this](const Tensor& x) {
    Tensor loss;
    {
      const amp::Autocast autocast(DType::bf16);
      loss = mean(square(model_(x)));
    }
    loss.backward();
    optimizer_.step();
    optimizer_.zero_grad();
    return loss;
  });
  const Tensor x = batch(1.0f, 1.0f);
  for (int i = 0; i < 12; ++i) {
    // Numbers that bf16 holds.
    model_.weight().tensor().detach().assign(std::vector<float>{static_cast<float>(i)});
    model_.bias().tensor().detach().assign(std::vector<float>{1.0f});
    EXPECT_DOUBLE_EQ(step(x).loss(), (i + 1.0) * (i + 1.0)) << i;
  }
}

TEST_F(StepTest, NoticesANewGrowthInterval) {
  amp::GradScaler scaler({.init_scale = 2.0f, .growth_interval = 1000});
  train::Step step(*device_,
                   [&](const Tensor& x) {
                     Tensor loss = loss_of(x);
                     scaler.scale(loss).backward();
                     scaler.step(optimizer_);
                     scaler.update();
                     optimizer_.zero_grad();
                     return loss;
                   },
                   {.scaler = &scaler});
  const Tensor x = batch(0.5f, 0.25f);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(step(x).scaler()->scale, 2.0f);
  scaler.set_growth_interval(6);
  EXPECT_EQ(step(x).scaler()->scale, 4.0f);
}

TEST_F(StepTest, KeepsTensorsThatTheProgramHolds) {
  Tensor seen;
  train::Step step(*device_, [&](const Tensor& x) {
    seen = x * 2.0f;
    return sum(seen);
  });
  for (int i = 0; i < 8; ++i) {
    const auto value = static_cast<float>(i);
    step(batch(value, value + 1.0f));
    EXPECT_EQ(seen.to_vector(), (std::vector<float>{2.0f * value, 2.0f * value + 2.0f})) << i;
  }
}

TEST_F(StepTest, IsNotRecordedWhereTheEnvironmentSaysSo) {
  const testing::Variable variable("AMPHORA_EAGER", "1");
  train::Step step(*device_, [this](const Tensor& x) { return train(x); });
  const Tensor x = batch(1.0f, 2.0f);
  for (int i = 0; i < 5; ++i) step(x);
  EXPECT_EQ(runs_, 5);
  EXPECT_TRUE(step.plans().empty());
}

TEST_F(StepTest, ResultsOfSeveralElementsAreNoNumber) {
  train::Step step(*device_, [](const Tensor& x) { return square(x); });
  for (int i = 0; i < 5; ++i) {
    const train::StepResult result = step(batch(1.0f, 2.0f));
    EXPECT_NE(message_of([&] { result.loss(); }).find("[2, 1]"), std::string::npos);
    EXPECT_EQ(result.tensor(0).to_vector(), (std::vector<float>{1, 4}));
  }
}

TEST_F(StepTest, PassesOnWhatTheBodyThrowsAndGoesOn) {
  bool fails = false;
  train::Step step(*device_, [&](const Tensor& x) {
    require(!fails, "no luck");
    return train(x);
  });
  const Tensor x = batch(1.0f, 2.0f);
  step(x);
  fails = true;
  EXPECT_EQ(message_of([&] { step(x); }), "no luck");
  fails = false;
  for (int i = 0; i < 5; ++i) step(x);
  EXPECT_EQ(step.plans().size(), 1u);
}

}  // namespace
}  // namespace amphora
