// The optimizer steps: the order of operations of PyTorch, and on the cpu its roundings too.
#include <cmath>

#include "amphora/optim/optimizer.h"
#include "conformance/formulas.h"
#include "conformance/harness.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_SUBJECT(Optim);

constexpr std::uint32_t kCounts[] = {0, 1, 7, 16, 17, 1000, 40001};
constexpr bool kBoth[] = {false, true};

Interval at(const Array& array, std::size_t i) { return Interval::exact(array[i]); }
Interval from_double(double value) { return Interval::exact(value).widened(2 * kUnit); }

// Two forms, so that weight 1 gives `to` exactly.
Interval mixed(const Interval& from, const Interval& to, const Interval& weight) {
  const Interval difference = to - from;
  return select(less(weight, C(0.5)), from + weight * difference, to - difference * (C(1.0) - weight));
}

// A working copy holds its master as stored.
void expect_working_copy(const Array& working, const Array& master) {
  for (std::size_t i = 0; working.present() && i < working.count(); ++i) {
    expect_value(working, i, rounded(working.type(), master[i]));
  }
}

Array squares(Random& random, std::uint32_t count) {
  Array v = random.array(DType::f32, count);
  for (std::size_t i = 0; i < count; ++i) v.set(i, v[i] * v[i]);
  return v;
}

// Adam's arrays: gradient, master, working copy, m, v, group.
Arrays adam_arrays(Random& random, std::uint32_t count, DType working, bool has_working, const GroupState& group) {
  return {
      random.array(DType::f32, count), random.array(DType::f32, count), has_working ? Array(working, count) : Array(),
      random.array(DType::f32, count), squares(random, count),          words_of(group)};
}

AdamParams adam_params(std::uint32_t count, double beta1, float weight_decay, int decoupled) {
  const auto high = [](double value) { return static_cast<float>(value); };
  return {.count = count,
          .beta1 = high(beta1),
          .beta1_low = optim::low_part(beta1),
          .beta2 = high(0.999),
          .beta2_low = optim::low_part(0.999),
          .epsilon = 1e-8f,
          .weight_decay = weight_decay,
          .decoupled = decoupled};
}

void expect_adam(const AdamParams& p, const Spec& spec, const Arrays& arrays) {
  const Arrays actual = run_subject(KernelId::adam, spec, p, arrays);
  if (actual.empty()) return;
  const auto group = state_of<GroupState>(arrays[5]);
  const Interval complement1 = from_double(1.0 - (double{p.beta1} + p.beta1_low));
  const Interval complement2 = from_double(1.0 - (double{p.beta2} + p.beta2_low));
  const Interval decay = C(1.0) - C(group.lr) * C(p.weight_decay), step_size = C(group.lr) / C(group.bias_correction1);
  for (std::size_t i = 0; i < p.count; ++i) {
    Interval value = at(arrays[1], i), g = at(arrays[0], i) * C(group.gradient_factor);
    if (p.weight_decay != 0.0f && p.decoupled != 0) value = value * decay;
    if (p.weight_decay != 0.0f && p.decoupled == 0) g = g + C(p.weight_decay) * at(arrays[1], i);
    const Interval mean = mixed(at(arrays[3], i), g, complement1);
    const Interval square = at(arrays[4], i) * C(p.beta2) + complement2 * g * g;
    const Interval denominator = SQRT(square) / C(group.bias_correction2) + C(p.epsilon);
    expect_inside(actual[3], i, mean);
    expect_inside(actual[4], i, square);
    expect_inside(actual[1], i, value - step_size * mean / denominator);
  }
  expect_working_copy(actual[2], actual[1]);
  if (accuracy().same_bits) expect_oracle_bits(KernelId::adam, spec, p, arrays);
}

TEST_P(Optim, Small_AdamMatchesTheOracle) {
  for (const std::uint32_t count : kCounts) {
    for (const DType working : kFloats) {
      for (const bool has_working : kBoth) {
        for (const float decay : {0.0f, 0.1f}) {
          for (const int decoupled : {0, 1}) {
            const GroupState group{0.01f, 3, 0, random.coin() ? 1.0f : 0x1p-16f, 0.271f, 0.054737f};
            const AdamParams params = adam_params(count, random.below(4) == 0 ? 0.0 : 0.9, decay, decoupled);
            expect_adam(params, {{DType::f32, DType::f32, working, DType::f32}},
                        adam_arrays(random, count, working, has_working, group));
          }
        }
      }
    }
  }
}

// PyTorch's numbers: lr 0.1 without decay, weight 1, gradients 1 and then 0.5.
TEST_P(Optim, AdamGivesTheKnownNumbers) {
  auto arrays = adam_arrays(random, 1, DType::f16, true, {});
  const double start[] = {1.0, 1.0, 0.0, 0.0, 0.0};
  for (std::size_t i = 0; i < 5; ++i) arrays[i].set(0, start[i]);
  const Spec spec{{DType::f32, DType::f32, DType::f16, DType::f32}};
  const AdamParams params = adam_params(1, 0.9, 0.0f, 1);
  const double gradients[] = {1.0, 0.5};
  const double weights[] = {0.9000000357627869, 0.806782066822052};
  for (int step = 1; step <= 2; ++step) {
    const double power1 = std::pow(0.9, step), power2 = std::pow(0.999, step);
    arrays[0].set(0, gradients[step - 1]);
    arrays[5] = words_of(
        GroupState{0.1f, step, 0, 1.0f, static_cast<float>(1.0 - power1), static_cast<float>(std::sqrt(1.0 - power2))});
    const Arrays after = run_subject(KernelId::adam, spec, params, arrays);
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

void expect_sgd(const SgdParams& p, const Spec& spec, const Arrays& arrays) {
  const Arrays actual = run_subject(KernelId::sgd, spec, p, arrays);
  if (actual.empty()) return;
  const auto group = state_of<GroupState>(arrays[4]);
  for (std::size_t i = 0; i < p.count; ++i) {
    const Interval value = at(arrays[1], i);
    Interval g = at(arrays[0], i) * C(group.gradient_factor);
    if (p.weight_decay != 0.0f) g = g + C(p.weight_decay) * value;
    if (p.momentum != 0.0f) {
      const Interval old = at(arrays[2], i) * C(p.momentum);
      const Interval velocity = group.step == 1 ? g : old + (C(1.0) - C(p.dampening)) * g;
      expect_inside(actual[2], i, velocity);
      g = p.nesterov != 0 ? g + C(p.momentum) * velocity : velocity;
    }
    expect_inside(actual[1], i, value - C(group.lr) * g);
  }
  expect_working_copy(actual[3], actual[1]);
  if (accuracy().same_bits) expect_oracle_bits(KernelId::sgd, spec, p, arrays);
}

TEST_P(Optim, Small_SgdMatchesTheOracle) {
  for (const std::uint32_t count : kCounts) {
    for (const DType working : kFloats) {
      for (const bool has_working : kBoth) {
        for (const float momentum : {0.0f, 0.9f}) {
          for (const int step : {1, 2}) {
            const GroupState group{0.1f, step, 0, 0.5f, 0.0f, 0.0f};
            const SgdParams params{count, momentum, random.coin() ? 0.0f : 0.3f, random.coin() ? 0.0f : 0.01f,
                                   static_cast<int>(random.below(2))};
            expect_sgd(params, {{DType::f32, DType::f32, DType::f32, working}},
                       {random.array(DType::f32, count), random.array(DType::f32, count),
                        momentum != 0.0f ? random.array(DType::f32, count) : Array(),
                        has_working ? Array(working, count) : Array(), words_of(group)});
          }
        }
      }
    }
  }
}

TEST_P(Optim, ASkippedStepChangesNothing) {
  const std::uint32_t count = 100;
  const GroupState group{0.1f, 1, 1, 1.0f, 0.1f, 0.03f};
  const Arrays adam = adam_arrays(random, count, DType::bf16, true, group);
  const Arrays after = run_subject(KernelId::adam, {{DType::f32, DType::f32, DType::bf16, DType::f32}},
                                   adam_params(count, 0.9, 0.1f, 1), adam);
  for (std::size_t i = 0; i < after.size(); ++i) expect_same(after[i], adam[i]);
  const Arrays sgd = {adam[0], adam[1], adam[3], adam[2], adam[5]};
  const Arrays sgd_after = run_subject(KernelId::sgd, {{DType::f32, DType::f32, DType::f32, DType::bf16}},
                                       SgdParams{count, 0.9f, 0.0f, 0.0f, 0}, sgd);
  for (std::size_t i = 0; i < sgd_after.size(); ++i) expect_same(sgd_after[i], sgd[i]);
}

TEST_P(Optim, Small_LerpMatchesTheOracle) {
  for (const std::uint32_t count : kCounts) {
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
  const GroupState group{0.01f, 3, 0, 1.0f, 0.271f, 0.054737f};
  expect_repeatable(KernelId::adam, {{DType::f32, DType::f32, DType::f16, DType::f32}},
                    adam_params(count, 0.9, 0.1f, 1), adam_arrays(random, count, DType::f16, true, group));
}

}  // namespace
}  // namespace amphora::conformance
