// The memory of a step's values: nothing is overwritten that is still read, and little is wasted.
#include "amphora/plan/memory.h"

#include <algorithm>
#include <map>

#include "amphora/kernel/operands.h"
#include "amphora/plan/dump.h"
#include "support/cpu_test.h"
#include "support/plan_builder.h"
#include "support/recorded.h"

namespace amphora::plan {
namespace {

using testing::binary_of;
using testing::fill_of;
using testing::PlanBuilder;
using testing::product_of;
using testing::Random;
using testing::unary_of;

constexpr std::size_t kUnit = 256;

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
  PlanBuilder b;
  const std::vector<std::uint32_t> counts = {1, 64, 255, 1024, 10'000};
  std::map<std::uint32_t, std::vector<int>> written;
  const int calls = static_cast<int>(random.uniform(1, 60));
  for (int c = 0; c < calls; ++c) {
    const std::uint32_t count = counts[random.bits() % counts.size()];
    auto& candidates = written[count];
    const auto any = [&] { return candidates[random.bits() % candidates.size()]; };
    if (candidates.empty() || random.bits() % 8 == 0) {
      candidates.push_back(b.value(count * 4, random.bits() % 3 == 0 ? Role::kept : Role::transient));
      b.call(fill_of(count, 0), {candidates.back()});
      continue;
    }
    const int x = any();
    const int y = any();
    const bool again = random.bits() % 8 == 0;
    const int result = again ? any() : b.value(count * 4);
    switch (random.bits() % 3) {
      case 0: b.call(unary_of(count), {x, result}); break;
      case 1: b.call(binary_of(count), {x, y, result}); break;
      default:
        // n x 1 * 1 x 1: what it reads lies in the order of what it writes, and yet it may overwrite nothing.
        if (x == result) continue;
        b.call(KernelCall(KernelId::matmul, {}, product_of(static_cast<std::int32_t>(count), 1, 1, again ? 1 : 0)),
               {x, {x, 0, 4}, result});
    }
    if (!again) candidates.push_back(result);
  }
  return b.plan;
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
  PlanBuilder b;
  int x = b.value(1000, Role::input);
  for (int i = 0; i < 5; ++i) {
    const int y = b.value(1000);
    b.call(unary_of(250), {x, y});
    x = y;
  }
  const MemoryPlan memory = plan_memory(b.plan);
  EXPECT_EQ(memory.bytes, 1024u);
  EXPECT_EQ(memory.in_place, 4);  // the first reads the input
}

TEST(PlanMemory, AnOperandThatIsReadLaterKeepsItsPlace) {
  PlanBuilder b;
  const int x = b.value(1024, Role::input), y = b.value(1024), z = b.value(1024), sum = b.value(1024);
  b.call(unary_of(256), {x, y});
  b.call(unary_of(256), {y, z});
  b.call(binary_of(256), {y, z, sum});
  const MemoryPlan memory = plan_memory(b.plan);
  EXPECT_EQ(memory.bytes, 2048u);
  EXPECT_EQ(memory.in_place, 1);
  EXPECT_NE(memory.offsets[static_cast<std::size_t>(y)], memory.offsets[static_cast<std::size_t>(z)]);
}

TEST(PlanMemory, AnOperandOfAnotherSizeKeepsItsPlace) {
  PlanBuilder b;
  const int x = b.value(1024), y = b.value(512);
  b.call(fill_of(256, 0), {x});
  b.call(testing::cast_of(256, DType::f32, DType::f16), {x, y});
  EXPECT_EQ(plan_memory(b.plan).in_place, 0);
}

TEST(PlanMemory, APartOfAValueIsNotHandedOver) {
  PlanBuilder b;
  const int x = b.value(4096), y = b.value(2048);
  b.call(fill_of(1024, 0), {x});
  b.call(unary_of(512), {{x, 2048, 2048}, y});
  EXPECT_EQ(plan_memory(b.plan).in_place, 0);
}

TEST(PlanMemory, AnOperandInAnotherOrderIsNotOverwritten) {
  PlanBuilder b;
  const int x = b.value(1024, Role::input), y = b.value(1024), sum = b.value(1024);
  b.call(unary_of(256), {x, y});
  BinaryParams params{};
  params.rank = 2;
  params.sizes[0] = params.sizes[1] = 16;
  params.a_strides[0] = params.b_strides[0] = 16;
  params.a_strides[1] = params.b_strides[1] = 1;
  b.call(KernelCall(KernelId::binary, {}, params), {y, y, sum});
  EXPECT_EQ(plan_memory(b.plan).in_place, 1);
  std::swap(params.b_strides[0], params.b_strides[1]);  // y plus its transpose
  b.plan.calls.pop_back();
  b.call(KernelCall(KernelId::binary, {}, params), {y, y, sum});
  EXPECT_EQ(plan_memory(b.plan).in_place, 0);
}

TEST(PlanMemory, AValueWithoutElementsHasAnAddress) {
  PlanBuilder b;
  const int x = b.value(0, Role::input), y = b.value(0);
  b.call(unary_of(0), {x, y});
  const MemoryPlan memory = plan_memory(b.plan);
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
