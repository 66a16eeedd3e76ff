// sgd, adam and lerp give the oracle's bits: the order of operations and the roundings of PyTorch.
#include <cmath>
#include <cstring>
#include <vector>

#include "conformance/harness.h"
#include "optim/optimizer.h"

namespace amphora::conformance {
namespace {

AMPHORA_ON_EVERY_TARGET(Optim);

constexpr std::uint32_t kCounts[] = {0, 1, 7, 16, 17, 1000, 40001};
constexpr bool kBoth[] = {false, true};

Array words_of(const GroupState& group) {
  Array array(DType::f32, sizeof(GroupState) / 4);
  std::memcpy(array.data(), &group, sizeof(GroupState));
  return array;
}

template <class Params>
void expect_equal(KernelId kernel, const Spec& spec, const Params& params, const std::vector<Array>& arrays) {
  const auto expected = run_oracle_as_is(kernel, spec, params, arrays);
  const auto actual = run_simd(kernel, spec, params, arrays);
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    EXPECT_TRUE(actual[i].same_bytes(expected[i])) << name_of(kernel) << ", buffer " << i;
  }
}

Array squares(Random& random, std::uint32_t count) {
  Array v = random.array(DType::f32, count);
  for (std::size_t i = 0; i < count; ++i) v.set(i, v[i] * v[i]);
  return v;
}

// Adam's arrays: gradient, master, working copy, m, v, group.
std::vector<Array> adam_arrays(Random& random, std::uint32_t count, DType working, bool has_working,
                               const GroupState& group) {
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

TEST_P(Optim, adam_matches_the_oracle) {
  for (const std::uint32_t count : kCounts) {
    for (const DType working : kFloats) {
      for (const bool has_working : kBoth) {
        for (const float decay : {0.0f, 0.1f}) {
          for (const int decoupled : {0, 1}) {
            const GroupState group{0.01f, 3, 0, random.below(2) == 0 ? 1.0f : 0x1p-16f, 0.271f, 0.054737f};
            const AdamParams params = adam_params(count, random.below(4) == 0 ? 0.0 : 0.9, decay, decoupled);
            expect_equal(KernelId::adam, {{DType::f32, DType::f32, working, DType::f32}}, params,
                         adam_arrays(random, count, working, has_working, group));
          }
        }
      }
    }
  }
}

// PyTorch's numbers: lr 0.1 without decay, weight 1, gradients 1 and then 0.5.
TEST_P(Optim, adam_gives_the_known_numbers) {
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
    arrays[5] =
        words_of({0.1f, step, 0, 1.0f, static_cast<float>(1.0 - power1), static_cast<float>(std::sqrt(1.0 - power2))});
    arrays = run_simd(KernelId::adam, spec, params, arrays);
    EXPECT_EQ(arrays[1][0], weights[step - 1]) << "step " << step;
    EXPECT_EQ(arrays[2][0], load_element(to_f16(weights[step - 1]))) << "step " << step;
  }
  EXPECT_EQ(arrays[3][0], 0.14000000059604645);
  EXPECT_EQ(arrays[4][0], 0.0012490000808611512);
}

TEST_P(Optim, sgd_matches_the_oracle) {
  for (const std::uint32_t count : kCounts) {
    for (const DType working : kFloats) {
      for (const bool has_working : kBoth) {
        for (const float momentum : {0.0f, 0.9f}) {
          for (const int step : {1, 2}) {
            const GroupState group{0.1f, step, 0, 0.5f, 0.0f, 0.0f};
            const SgdParams params{count, momentum, random.below(2) == 0 ? 0.0f : 0.3f,
                                   random.below(2) == 0 ? 0.0f : 0.01f, static_cast<int>(random.below(2))};
            expect_equal(KernelId::sgd, {{DType::f32, DType::f32, DType::f32, working}}, params,
                         {random.array(DType::f32, count), random.array(DType::f32, count),
                          momentum != 0.0f ? random.array(DType::f32, count) : Array(),
                          has_working ? Array(working, count) : Array(), words_of(group)});
          }
        }
      }
    }
  }
}

TEST_P(Optim, a_skipped_step_changes_nothing) {
  const std::uint32_t count = 100;
  const GroupState group{0.1f, 1, 1, 1.0f, 0.1f, 0.03f};
  const auto adam = adam_arrays(random, count, DType::bf16, true, group);
  const auto after = run_simd(KernelId::adam, {{DType::f32, DType::f32, DType::bf16, DType::f32}},
                              adam_params(count, 0.9, 0.1f, 1), adam);
  for (std::size_t i = 0; i < adam.size(); ++i) EXPECT_TRUE(after[i].same_bytes(adam[i])) << i;
  const std::vector<Array> sgd = {adam[0], adam[1], adam[3], adam[2], adam[5]};
  const auto sgd_after = run_simd(KernelId::sgd, {{DType::f32, DType::f32, DType::f32, DType::bf16}},
                                  SgdParams{count, 0.9f, 0.0f, 0.0f, 0}, sgd);
  for (std::size_t i = 0; i < sgd.size(); ++i) EXPECT_TRUE(sgd_after[i].same_bytes(sgd[i])) << i;
}

TEST_P(Optim, lerp_matches_the_oracle) {
  for (const std::uint32_t count : kCounts) {
    for (const float weight : {0.0f, 0.001f, 0.5f, 0.9f, 1.0f}) {
      expect_equal(KernelId::lerp, {}, LerpParams{count, weight},
                   {random.array(DType::f32, count), random.array(DType::f32, count)});
    }
  }
}

TEST_P(Optim, bits_do_not_depend_on_the_number_of_threads) {
  const std::uint32_t count = 200001;
  const GroupState group{0.01f, 3, 0, 1.0f, 0.271f, 0.054737f};
  expect_thread_independence(KernelId::adam, {{DType::f32, DType::f32, DType::f16, DType::f32}},
                             adam_params(count, 0.9, 0.1f, 1), adam_arrays(random, count, DType::f16, true, group));
}

}  // namespace
}  // namespace amphora::conformance
