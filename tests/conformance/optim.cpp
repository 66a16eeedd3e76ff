// The optimizer steps: every row of optim.def, its formula in intervals, and on the cpu the oracle's bits too.
#include <algorithm>
#include <cmath>

#include "amphora/kernel/optimizers.h"
#include "conformance/formulas.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Optim);

constexpr std::uint32_t kOptimCounts[] = {0, 1, 7, 16, 17, 1000, 40001};
constexpr std::size_t kFirstState = op::optimizer_step::first, kGroup = op::optimizer_step::group;

Interval at(const Array& array, std::size_t i) { return Interval::exact(array.present() ? array[i] : 0.0); }

// Two forms, so that weight 1 gives `to` exactly.
Interval mixed(const Interval& from, const Interval& to, const Interval& weight) {
  const Interval difference = to - from;
  return select(less(weight, C(0.5)), from + weight * difference, to - difference * (C(1.0) - weight));
}

// A number that is the same for all elements, and decides what they take part in.
struct Scalar : Interval {
  Scalar(float number) : Interval(exact(number)), value(number) {}      // NOLINT(google-explicit-constructor)
  Scalar(const Interval& interval) : Interval(interval), value(NAN) {}  // NOLINT(google-explicit-constructor)
  bool operator==(int other) const { return value == static_cast<float>(other); }
  Scalar operator-(int other) const { return value - static_cast<float>(other); }
  Scalar operator-() const { return -value; }
  float value;
};

// What a step may make of element i.
struct Expected {
  Interval value;
  Interval states[kMaxStates];
};
using Rule = Expected (*)(const OptimizerParams& params, const GroupState& group, const Arrays& arrays, std::size_t i);

Interval root_of(const Interval& x) {
  return monotone(x, accuracy().square_root, [](double square) { return std::sqrt(square); });
}

#define AM_SCALAR Scalar
#define AM_VALUE Interval
#undef SQRT
#define SQRT(x) root_of(x)
#define DIV(a, b) (static_cast<const Interval&>(a) / static_cast<const Interval&>(b))
#define ONE_PLUS(a, b) (C(1.0) + static_cast<const Interval&>(a) * static_cast<const Interval&>(b))
#define LERP(from, to, weight) mixed(from, to, weight)
#define HAS(state) has_##state
#define AM_CONSTANT(name) [[maybe_unused]] const Scalar name = params.constants[next++];
#define AM_OPTIMIZER(name, presence, first_state, second_state, third_state, constants, prepared, update)  \
  [](const OptimizerParams& params, const GroupState& group, const Arrays& arrays, std::size_t i) {        \
    [[maybe_unused]] const Scalar lr = group.lr, step = static_cast<float>(group.step);                    \
    [[maybe_unused]] const Scalar correction1 = group.correction1, correction2 = group.correction2;        \
    [[maybe_unused]] const bool HAS(first_state) = arrays[kFirstState].present();                          \
    [[maybe_unused]] const bool HAS(second_state) = arrays[kFirstState + 1].present();                     \
    [[maybe_unused]] const bool HAS(third_state) = arrays[kFirstState + 2].present();                      \
    int next = 0;                                                                                          \
    constants prepared Interval value = at(arrays[1], i), g = at(arrays[0], i) * C(group.gradient_factor); \
    Interval first_state = at(arrays[kFirstState], i), second_state = at(arrays[kFirstState + 1], i),      \
             third_state = at(arrays[kFirstState + 2], i);                                                 \
    update return Expected{value, {first_state, second_state, third_state}};                               \
  },
constexpr Rule kRules[] = {
#include "amphora/kernel/shared/optim.def"
};
#undef AM_OPTIMIZER

struct Case {
  OptimizerRule rule;
  OptimizerParams params;
  std::array<bool, kMaxStates> states;
};

template <class Constants>
Case case_of(const Constants& values, std::array<bool, kMaxStates> states) {
  return {Constants::kRule, optimizer_params(0, values), states};
}

// Options that take every branch of every row.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const double l2 : {0.0, 0.1}) {
    for (const double mu : {0.0, 0.9}) {
      for (const double nesterov : {0.0, 1.0}) {
        all.push_back(case_of(constants::sgd{mu, mu == 0.0 ? 1.0 : 0.7, l2, nesterov}, {mu != 0.0}));
      }
      for (const bool centered : kBoth) {
        all.push_back(case_of(constants::rmsprop{0.99, 0.01, 1e-8, mu, l2}, {true, mu != 0.0, centered}));
      }
    }
    for (const double beta1 : {0.0, 0.9}) {
      all.push_back(case_of(constants::adam{1.0 - beta1, 0.999, 0.001, 1e-8, l2, 0.0}, {true, true}));
      all.push_back(case_of(constants::adam{1.0 - beta1, 0.999, 0.001, 1e-8, 0.0, l2}, {true, true}));
      all.push_back(case_of(constants::lion{beta1, 1.0 - beta1, 0.99, 0.01, l2}, {true}));
    }
    all.push_back(case_of(constants::adagrad{l2, 1e-10, l2}, {true}));
  }
  return all;
}

// Gradient, master, working copy, states, group. States are squares of numbers, so that roots of them exist.
Arrays arrays_of(Random& random, const Case& c, std::uint32_t count, DType working, bool has_working,
                 const GroupState& group) {
  Arrays arrays = {random.array(DType::f32, count), random.array(DType::f32, count),
                   has_working ? Array(working, count) : Array()};
  for (const bool present : c.states) {
    arrays.push_back(present ? random.array(DType::f32, count) : Array());
    for (std::size_t i = 0; present && i < count; ++i) arrays.back().set(i, arrays.back()[i] * arrays.back()[i]);
  }
  arrays.push_back(words_of(group));
  return arrays;
}

Spec spec_of(const Case& c, DType working) {
  return {{DType::f32, DType::f32, working, DType::f32}, static_cast<std::uint8_t>(c.rule)};
}

void expect_step(const Case& c, const Spec& spec, const Arrays& arrays) {
  const Arrays actual = run_subject(KernelId::optimizer_step, spec, c.params, arrays);
  if (actual.empty()) return;
  const auto group = state_of<GroupState>(arrays[kGroup]);
  for (std::size_t i = 0; i < c.params.count; ++i) {
    const Expected expected = kRules[spec.function](c.params, group, arrays, i);
    expect_inside(actual[1], i, expected.value);
    for (std::size_t k = 0; k < kMaxStates; ++k) {
      if (c.states[k]) expect_inside(actual[kFirstState + k], i, expected.states[k]);
    }
    // A working copy holds its master as stored.
    if (actual[2].present()) expect_value(actual[2], i, rounded(actual[2].type(), actual[1][i]));
  }
  if (accuracy().same_bits) expect_oracle_bits(KernelId::optimizer_step, spec, c.params, arrays);
}

TEST_P(Optim, EveryRowHasACase) {
  const std::vector<Case> all = cases();
  for (std::size_t rule = 0; rule < std::size(kOptimizers); ++rule) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const Case& c) { return c.rule == OptimizerRule(rule); }))
        << kOptimizerNames[rule];
  }
}

TEST_P(Optim, Small_EveryRowMatchesTheOracle) {
  for (Case c : cases()) {
    DType working = random.one_of(kFloats);
    for (const std::uint32_t count : kOptimCounts) {
      for (const bool has_working : kBoth) {
        const GroupState group{
            0.01f, static_cast<int>(random.below(3)) + 1, 0, random.coin() ? 1.0f : 0x1p-16f, 0.271f, 0.054737f};
        if (!Subject::current().compiles()) working = random.one_of(kFloats);
        c.params.count = count;
        expect_step(c, spec_of(c, working), arrays_of(random, c, count, working, has_working, group));
      }
    }
  }
}

// PyTorch's numbers: lr 0.1 without decay, weight 1, gradients 1 and then 0.5.
TEST_P(Optim, AdamGivesTheKnownNumbers) {
  Case c = case_of(constants::adam{1.0 - 0.9, 0.999, 1.0 - 0.999, 1e-8f, 0.0, 0.0}, {true, true});
  c.params.count = 1;
  Arrays arrays = arrays_of(random, c, 1, DType::f16, true, {});
  const double start[] = {1.0, 1.0, 0.0, 0.0, 0.0};
  for (std::size_t i = 0; i < 5; ++i) arrays[i].set(0, start[i]);
  const double gradients[] = {1.0, 0.5};
  const double weights[] = {0.9000000357627869, 0.806782066822052};
  for (int step = 1; step <= 2; ++step) {
    const double power1 = std::pow(0.9, step), power2 = std::pow(0.999, step);
    arrays[0].set(0, gradients[step - 1]);
    arrays[kGroup] = words_of(
        GroupState{0.1f, step, 0, 1.0f, static_cast<float>(1.0 - power1), static_cast<float>(std::sqrt(1.0 - power2))});
    const Arrays after = run_subject(KernelId::optimizer_step, spec_of(c, DType::f16), c.params, arrays);
    if (after.empty()) return;
    arrays = after;
    if (!accuracy().same_bits) {  // a handful of roundings of 1
      expect_inside(arrays[1], 0, Interval::around(weights[step - 1], 16 * kUnit));
      continue;
    }
    expect_value(arrays[1], 0, weights[step - 1]);
    expect_value(arrays[2], 0, load_element(to_f16(weights[step - 1])));
  }
  if (!accuracy().same_bits) return;
  expect_value(arrays[3], 0, 0.14000000059604645);
  expect_value(arrays[4], 0, 0.0012490000808611512);
}

TEST_P(Optim, ASkippedStepChangesNothing) {
  for (Case c : cases()) {
    c.params.count = 100;
    const Arrays arrays = arrays_of(random, c, 100, DType::bf16, true, {0.1f, 1, 1, 1.0f, 0.1f, 0.03f});
    const Arrays after = run_subject(KernelId::optimizer_step, spec_of(c, DType::bf16), c.params, arrays);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (arrays[i].present()) expect_same(after[i], arrays[i]);
    }
  }
}

TEST_P(Optim, Small_LerpMatchesTheOracle) {
  for (const std::uint32_t count : kOptimCounts) {
    for (const float weight : {0.0f, 0.001f, 0.5f, 0.9f, 1.0f}) {
      const Arrays arrays = {random.array(DType::f32, count), random.array(DType::f32, count)};
      const Arrays actual = run_subject(KernelId::lerp, {}, LerpParams{count, weight}, arrays);
      for (std::size_t i = 0; !actual.empty() && i < count; ++i) {
        expect_inside(actual[1], i, mixed(at(arrays[1], i), at(arrays[0], i), C(weight)));
        if (weight == 1.0f) expect_value(actual[1], i, arrays[0][i]);
      }
      if (accuracy().same_bits) expect_oracle_bits(KernelId::lerp, {}, LerpParams{count, weight}, arrays);
    }
  }
}

TEST_P(Optim, BitsAreRepeatable) {
  const std::uint32_t count = 200001;
  for (Case c : cases()) {
    if (c.rule != OptimizerRule::adam) continue;
    c.params.count = count;
    const GroupState group{0.01f, 3, 0, 1.0f, 0.271f, 0.054737f};
    expect_repeatable(KernelId::optimizer_step, spec_of(c, DType::f16), c.params,
                      arrays_of(random, c, count, DType::f16, true, group));
    return;
  }
}

}  // namespace
}  // namespace amphora::conformance
