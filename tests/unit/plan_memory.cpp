// The memory of a step's values: nothing is overwritten that is still read, and little is wasted.
#include <algorithm>
#include <map>

#include "plan/dump.h"
#include "plan/in_place.h"
#include "plan/memory.h"
#include "plan/use.h"
#include "support/cpu_test.h"
#include "support/recorded.h"

namespace amphora::plan {
namespace {

using testing::Random;

constexpr std::size_t kUnit = 256;

int add_value(Plan& plan, std::size_t bytes, Role role = Role::transient) {
  plan.values.push_back({.role = role, .bytes = bytes});
  return static_cast<int>(plan.values.size()) - 1;
}

// A call on whole values.
void add_call(Plan& plan, KernelCall call, const std::vector<int>& values) {
  PlannedCall planned{.call = std::move(call), .values = {}, .phase = "", .op = "", .module = ""};
  planned.values.fill(kNoValue);
  for (std::size_t i = 0; i < values.size(); ++i) {
    planned.values[i] = values[i];
    planned.call.with({nullptr, 0, plan.values[static_cast<std::size_t>(values[i])].bytes});
  }
  plan.calls.push_back(std::move(planned));
}

KernelCall unary_of(std::size_t bytes) {
  return {KernelId::unary, {}, UnaryParams{static_cast<std::uint32_t>(bytes / 4), 0, 0}};
}

KernelCall binary_of(std::size_t bytes) {
  BinaryParams params{};
  params.rank = 1;
  params.sizes[0] = static_cast<std::int32_t>(bytes / 4);
  params.a_strides[0] = params.b_strides[0] = 1;
  return {KernelId::binary, {}, params};
}

// Follows a plan through its arena, and expects each call to find what the calls before it have left for it.
void expect_reads_find_what_was_written(const Plan& plan, const MemoryPlan& memory) {
  std::map<std::size_t, int> owners;  // of each unit of the arena: whose bytes lie there
  const auto units = [&](int value) {
    const auto index = static_cast<std::size_t>(value);
    const std::size_t first = memory.offsets[index] / kUnit;
    return std::pair(first, first + (plan.values[index].bytes + kUnit - 1) / kUnit);
  };
  for (std::size_t c = 0; c < plan.calls.size(); ++c) {
    const PlannedCall& planned = plan.calls[c];
    std::vector<int> read;
    for (int i = 0; i < planned.call.buffer_count; ++i) {
      const int value = planned.values[static_cast<std::size_t>(i)];
      if (plan.values[static_cast<std::size_t>(value)].role != Role::transient) continue;
      const auto [begin, end] = units(value);
      if (reads(use_of(planned.call, i, true))) {
        read.push_back(i);
        for (std::size_t u = begin; u < end; ++u) ASSERT_EQ(owners[u], value) << "call " << c;
        continue;
      }
      for (const int operand : read) {
        const int other = planned.values[static_cast<std::size_t>(operand)];
        const auto [from, to] = units(other);
        if (other == value || end <= from || to <= begin) continue;
        EXPECT_EQ(from, begin) << "call " << c;
        EXPECT_EQ(to, end) << "call " << c;
        EXPECT_TRUE(may_overwrite(planned.call, operand) && result_in_place(planned.call) == i) << "call " << c;
      }
      for (std::size_t u = begin; u < end; ++u) owners[u] = value;
    }
  }
}

// Calls on values that earlier calls have written, of few sizes so that places are often handed over.
Plan random_plan(Random& random) {
  Plan plan;
  const std::vector<std::size_t> sizes = {4, 256, 1020, 4096, 40'000};
  std::map<std::size_t, std::vector<int>> written;
  const int calls = static_cast<int>(random.uniform(1, 60));
  for (int c = 0; c < calls; ++c) {
    const std::size_t bytes = sizes[random.bits() % sizes.size()];
    auto& candidates = written[bytes];
    const auto any = [&] { return candidates[random.bits() % candidates.size()]; };
    if (candidates.empty() || random.bits() % 8 == 0) {
      candidates.push_back(add_value(plan, bytes, random.bits() % 3 == 0 ? Role::kept : Role::transient));
      add_call(plan, KernelCall(KernelId::fill, {}, FillParams{static_cast<std::uint32_t>(bytes / 4), 0}),
               {candidates.back()});
      continue;
    }
    const int x = any();
    const int y = any();
    const bool again = random.bits() % 8 == 0;
    const int result = again ? any() : add_value(plan, bytes);
    switch (random.bits() % 3) {
      case 0: add_call(plan, unary_of(bytes), {x, result}); break;
      case 1: add_call(plan, binary_of(bytes), {x, y, result}); break;
      default: {  // 1 x n * 1 x 1: what it reads lies in the order of what it writes, and yet it overwrites nothing
        const auto n = static_cast<std::int32_t>(bytes / 4);
        if (x == result) continue;
        add_call(plan,
                 KernelCall(KernelId::matmul, {},
                            MatmulParams{n, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1.0f, again ? 1.0f : 0.0f}),
                 {x, x, result});
      }
    }
    if (!again) candidates.push_back(result);
  }
  return plan;
}

TEST(PlanMemory, NoCallOverwritesWhatALaterOneReads) {
  Random random;
  for (int round = 0; round < 500; ++round) {
    const Plan plan = random_plan(random);
    const MemoryPlan memory = plan_memory(plan);
    ASSERT_EQ(memory.offsets.size(), plan.values.size());
    EXPECT_GE(memory.bytes, memory.live_peak);
    for (std::size_t v = 0; v < plan.values.size(); ++v) {
      if (memory.offsets[v] == kNowhere) continue;
      EXPECT_EQ(plan.values[v].role, Role::transient);
      EXPECT_EQ(memory.offsets[v] % kUnit, 0u);
      EXPECT_LE(memory.offsets[v] + plan.values[v].bytes, memory.bytes);
    }
    expect_reads_find_what_was_written(plan, memory);
    if (HasFailure()) FAIL() << dump(plan) << describe(plan, memory);
  }
}

TEST(PlanMemory, ThePeakIsWhatItHolds) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    const Plan plan = random_plan(random);
    const MemoryPlan memory = plan_memory(plan);
    std::size_t held = 0;
    for (const int value : memory.held) {
      held += (plan.values[static_cast<std::size_t>(value)].bytes + kUnit - 1) / kUnit * kUnit;
    }
    EXPECT_EQ(held, memory.live_peak);
  }
}

TEST(PlanMemory, APointwiseChainNeedsOnePlace) {
  Plan plan;
  int x = add_value(plan, 1000, Role::input);
  for (int i = 0; i < 5; ++i) {
    const int y = add_value(plan, 1000);
    add_call(plan, unary_of(1000), {x, y});
    x = y;
  }
  const MemoryPlan memory = plan_memory(plan);
  EXPECT_EQ(memory.bytes, 1024u);
  EXPECT_EQ(memory.in_place, 4);  // the first reads the input
}

TEST(PlanMemory, AnOperandThatIsReadLaterKeepsItsPlace) {
  Plan plan;
  const int x = add_value(plan, 1024, Role::input);
  const int y = add_value(plan, 1024);
  const int z = add_value(plan, 1024);
  const int sum = add_value(plan, 1024);
  add_call(plan, unary_of(1024), {x, y});
  add_call(plan, unary_of(1024), {y, z});
  add_call(plan, binary_of(1024), {y, z, sum});
  const MemoryPlan memory = plan_memory(plan);
  EXPECT_EQ(memory.bytes, 2048u);
  EXPECT_EQ(memory.in_place, 1);
  EXPECT_NE(memory.offsets[static_cast<std::size_t>(y)], memory.offsets[static_cast<std::size_t>(z)]);
}

TEST(PlanMemory, APartOfAValueIsNotHandedOver) {
  Plan plan;
  const int x = add_value(plan, 4096);
  const int y = add_value(plan, 2048);
  add_call(plan, KernelCall(KernelId::fill, {}, FillParams{1024, 0}), {x});
  add_call(plan, unary_of(2048), {x, y});
  plan.calls.back().call.buffers[0] = {nullptr, 2048, 2048};
  EXPECT_EQ(plan_memory(plan).in_place, 0);
}

TEST(PlanMemory, AnOperandThatRepeatsIsNotOverwritten) {
  Plan plan;
  const int x = add_value(plan, 1024, Role::input);
  const int y = add_value(plan, 1024);
  const int sum = add_value(plan, 1024);
  add_call(plan, unary_of(1024), {x, y});
  KernelCall reversed = binary_of(1024);
  auto params = reversed.params<BinaryParams>();
  params.rank = 2;
  params.sizes[0] = params.sizes[1] = 16;
  params.a_strides[0] = params.b_strides[0] = 1;  // the transpose of y
  params.a_strides[1] = params.b_strides[1] = 16;
  add_call(plan, KernelCall(KernelId::binary, {}, params), {y, y, sum});
  EXPECT_EQ(plan_memory(plan).in_place, 0);
}

TEST(PlanMemory, AValueWithoutElementsHasAnAddress) {
  Plan plan;
  add_call(plan, unary_of(0), {add_value(plan, 0, Role::input), add_value(plan, 0)});
  const MemoryPlan memory = plan_memory(plan);
  EXPECT_GT(memory.bytes, 0u);
  EXPECT_EQ(memory.offsets[1], 0u);
}

// Forward keeps every activation, backward frees them in reverse order: what is alive grows and shrinks like a stack,
// so a layout with hardly a gap exists: the gradients walk along its top.
TEST(PlanMemory, AChainOfLayersWastesLittle) {
  Random random;
  const auto device = open_device("null", {});
  for (int round = 0; round < 20; ++round) {
    std::vector<std::int64_t> widths;
    for (int layer = 0; layer < 12; ++layer) widths.push_back(static_cast<std::int64_t>(random.uniform(1, 2000)));
    const Tensor x = Tensor::empty(*device, {64, widths[0]}, DType::f32, MemoryKind::inputs);
    std::vector<Tensor> weights;
    for (std::size_t i = 1; i < widths.size(); ++i) {
      weights.push_back(Tensor::empty(*device, {widths[i], widths[i - 1]}, DType::f32, MemoryKind::masters));
      weights.back().set_requires_grad();
    }
    const auto recorded = testing::record(*device, {x}, [&] {
      Tensor y = x;
      for (const Tensor& weight : weights) y = linear(y, weight, Tensor(), Activation::gelu);
      sum(y).backward();
      std::vector<Tensor> gradients;
      for (const Tensor& weight : weights) gradients.push_back(weight.grad());
      return gradients;
    });
    const MemoryPlan memory = plan_memory(recorded.plan);
    EXPECT_LE(static_cast<double>(memory.bytes), 1.05 * static_cast<double>(memory.live_peak))
        << describe(recorded.plan, memory);
  }
}

}  // namespace
}  // namespace amphora::plan
