// plan::Recorder: what becomes a value of which role, and what of the host's state is noted.
#include "amphora/plan/recorder.h"

#include <gtest/gtest.h>

#include "amphora/amphora.h"
#include "support/cpu_test.h"

namespace amphora::plan {
namespace {

using amphora::testing::message_of;

class RecorderTest : public ::testing::Test {
 protected:
  Tensor ones(std::int64_t count) { return Tensor::full(*device_, {count}, 1.0); }

  std::shared_ptr<Device> device_ = open_device("cpu", {.threads = 1});
};

TEST_F(RecorderTest, TellsInputsFromWhatIsKeptAndWhatIsNot) {
  const Tensor input = ones(4);
  const Tensor weight = ones(4);
  Tensor result;
  Recorder recorder(*device_, Recorder::Mode::capture, {input.buffer()});
  { result = (input * weight) * 2.0f; }
  const Plan plan = recorder.finish().plan;
  ASSERT_EQ(plan.calls.size(), 2u);
  ASSERT_EQ(plan.values.size(), 4u);
  EXPECT_EQ(plan.values[0].role, Role::input);
  EXPECT_EQ(plan.values[1].role, Role::kept);
  EXPECT_FALSE(plan.values[1].made_here);
  EXPECT_EQ(plan.values[2].role, Role::transient);
  EXPECT_EQ(plan.values[3].role, Role::kept);
  EXPECT_TRUE(plan.values[3].made_here);
  EXPECT_EQ(plan.values[3].buffer, result.buffer());
}

TEST_F(RecorderTest, RunsNothingWhileItCaptures) {
  const Tensor x = ones(4);
  device_->reset_counters();
  {
    Recorder recorder(*device_, Recorder::Mode::capture);
    launch_fill(x, 7.0f);
  }
  EXPECT_EQ(x.to_vector(), std::vector<float>(4, 1.0f));
  {
    Recorder recorder(*device_, Recorder::Mode::observe);
    launch_fill(x, 7.0f);
  }
  EXPECT_EQ(x.to_vector(), std::vector<float>(4, 7.0f));
}

TEST_F(RecorderTest, NamesTheOpAndTheModuleOfEachCall) {
  RandomSource random(1);
  nn::Sequential model(nn::Linear({*device_, random}, 3, 2));
  const Tensor x = Tensor::zeros(*device_, {5, 3});
  Recorder recorder(*device_, Recorder::Mode::capture);
  sum(model(x)).backward();
  const Plan plan = recorder.finish().plan;
  EXPECT_EQ(plan.calls.front().op, "linear");
  EXPECT_EQ(plan.calls.front().module, "0");
  EXPECT_EQ(plan.calls.front().phase, "forward");
  EXPECT_EQ(plan.calls.back().op, "linear");
  EXPECT_EQ(plan.calls.back().phase, "backward");
}

TEST_F(RecorderTest, GuardsWhatWasReadAndNotWhatTheStepHadWritten) {
  Tracked<int> read = 3;
  Tracked<int> written = 4;
  HostState state;
  {
    Recorder recorder(*device_, Recorder::Mode::observe);
    EXPECT_EQ(read, 3);
    written = 5;
    EXPECT_EQ(written, 5);
    read = 6;
    state = recorder.finish().state;
  }
  EXPECT_FALSE(state.holds()) << "the step itself has left another value";
  read = 3;
  written = 77;
  EXPECT_TRUE(state.holds());
  state.apply();
  EXPECT_EQ(read, 6);
  EXPECT_EQ(written, 5);
}

TEST_F(RecorderTest, TakesConditionsOnceAndActionsLast) {
  int subject = 0;
  std::vector<int> done;
  HostState state;
  {
    Recorder recorder(*device_, Recorder::Mode::observe);
    recorder.add_condition(&subject, [&] { return subject == 0; });
    recorder.add_condition(&subject, [] { return false; });
    const auto always = [] { return true; };
    recorder.add_action(&subject, always, [&] { done.push_back(1); });
    recorder.add_action(&subject, always, [&] { done.push_back(2); });
    recorder.add_action(
        &state, [&] { return subject != 0; }, [&] { done.push_back(3); });  // not so at the end
    recorder.add_condition(&done, always);
    state = recorder.finish().state;
  }
  EXPECT_TRUE(state.holds());
  subject = 1;
  EXPECT_FALSE(state.holds());
  state.apply();
  EXPECT_EQ(done, std::vector<int>{2});
}

TEST_F(RecorderTest, ACaptureThatIsNotFinishedLeavesWhatWasBefore) {
  Tracked<int> value = 5;
  std::vector<int> undone;
  {
    Recorder recorder(*device_, Recorder::Mode::capture);
    value = 6;
    value = 7;
    for (const int number : {1, 2}) recorder.add_undo([&undone, number] { undone.push_back(number); });
  }
  EXPECT_EQ(value, 5);
  EXPECT_EQ(undone, (std::vector<int>{2, 1})) << "the last change first";
  {
    Recorder recorder(*device_, Recorder::Mode::observe);
    value = 6;
  }
  EXPECT_EQ(value, 6) << "a step that ran has run";
}

TEST_F(RecorderTest, AValueThatIsMadeWithinTheStepIsNoGuard) {
  Recorder recorder(*device_, Recorder::Mode::observe);
  Tracked<int> value = 1;
  EXPECT_EQ(value, 1);
  value = 2;
  const HostState state = recorder.finish().state;
  EXPECT_TRUE(state.guards.empty());
  EXPECT_TRUE(state.effects.empty());
  EXPECT_TRUE(state.holds());
}

TEST_F(RecorderTest, AKnownStepGetsItsMemoryAgain) {
  const auto capture = [this](std::span<const BufferPtr> known) {
    Recorder recorder(*device_, Recorder::Mode::capture, {}, nullptr, known);
    Tensor dropped = ones(4);
    Tensor kept = ones(3);
    dropped = Tensor();
    return std::pair(kept, recorder.finish().allocated);
  };
  const auto [first, known] = capture({});
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0], nullptr);
  const auto [second, again] = capture(known);
  EXPECT_EQ(second.buffer(), first.buffer());
  EXPECT_EQ(again, known);
}

TEST_F(RecorderTest, KeepsWhatTheHostWritesIntoNewMemoryAndRefusesOlder) {
  const Tensor older = ones(3);
  const std::vector<float> values{1.0f, 2.0f, 3.0f};
  Recorder recorder(*device_, Recorder::Mode::capture);
  {
    const Tensor constant = Tensor::from(*device_, {3}, values);
    static_cast<void>(older * constant);
  }
  const std::string message =
      message_of([&] { device_->upload(*older.buffer(), 0, std::as_bytes(std::span(values))); });
  EXPECT_NE(message.find("older than the step"), std::string::npos) << message;
  const Plan plan = recorder.finish().plan;
  ASSERT_EQ(plan.calls.size(), 1u);
  const Value& constant = plan.values[static_cast<std::size_t>(plan.calls.front().values[1])];
  ASSERT_EQ(constant.role, Role::kept);
  std::vector<float> kept(3);
  device_->download(*constant.buffer, 0, std::as_writable_bytes(std::span(kept)));
  EXPECT_EQ(kept, values);
}

TEST_F(RecorderTest, RefusesToChangeAConstant) {
  Recorder recorder(*device_, Recorder::Mode::capture);
  const Tensor constant = Tensor::from(*device_, {2}, std::vector<float>{1.0f, 2.0f});
  const std::string message = message_of([&] { launch_accumulate(constant, constant); });
  EXPECT_NE(message.find("accumulate changes memory that the host has filled"), std::string::npos) << message;
}

TEST_F(RecorderTest, HandsOutFeedsInOrderAndRefusesMoreThanFit) {
  const BufferPtr memory = device_->allocate(64, MemoryKind::inputs);
  Recorder recorder(*device_, Recorder::Mode::capture, {}, memory);
  const auto nothing = [](std::span<std::byte>) {};
  EXPECT_EQ(recorder.feed("a", 4, nothing).offset, 0u);
  EXPECT_EQ(recorder.feed("b", 20, nothing).offset, 16u);
  EXPECT_EQ(recorder.feed("c", 4, nothing).offset, 48u);
  EXPECT_NE(message_of([&] { recorder.feed("d", 4, nothing); }).find("'d'"), std::string::npos);
  const Plan plan = recorder.finish().plan;
  ASSERT_EQ(plan.feeds.size(), 3u);
  EXPECT_EQ(plan.feeds[1].name, "b");
}

TEST_F(RecorderTest, RefusesAnotherRecorderAndAnotherDevice) {
  const auto other = open_device("cpu", {.threads = 1});
  const Tensor far = Tensor::full(*other, {2}, 1.0);
  Recorder recorder(*device_, Recorder::Mode::capture);
  EXPECT_THROW(Recorder(*device_, Recorder::Mode::observe), StateError);
  EXPECT_EQ(Recorder::active(), &recorder);
  EXPECT_NE(message_of([&] { launch_fill(far, 1.0f); }).find("another"), std::string::npos);
}

}  // namespace
}  // namespace amphora::plan
