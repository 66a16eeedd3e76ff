// The rows of shared/optim.def as the host sees them: states and constants.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "amphora/kernel/call.h"
#include "amphora/kernel/two_floats.h"

namespace amphora {

inline constexpr int kMaxStates = 3;
inline constexpr std::size_t kMaxConstants = std::size(decltype(OptimizerParams::constants){});

struct OptimizerRow {
  std::string_view presence;  // a letter a state
  std::array<std::string_view, kMaxStates> states;
};

inline constexpr OptimizerRow kOptimizers[] = {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) \
  {presence, {#first, #second, #third}},
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
};
constexpr const OptimizerRow& row_of(OptimizerRule rule) { return kOptimizers[static_cast<std::size_t>(rule)]; }

// Whether the rule of an optimizer_step has a state `index`, and whether it cannot do without.
constexpr bool has_state(const Spec& spec, std::size_t index) {
  return index < kOptimizers[spec.function].presence.size();
}
constexpr bool needs_state(const Spec& spec, std::size_t index) {
  return has_state(spec, index) && kOptimizers[spec.function].presence[index] == 'n';
}

// A structure of the constants of each row, such as constants::adam{.complement1 = 0.1, ...}.
namespace constants {
#define AM_CONSTANT(name) double name;
#define AM_OPTIMIZER(name, presence, first, second, third, members, prepared, update) \
  struct name {                                                                       \
    static constexpr OptimizerRule kRule = OptimizerRule::name;                       \
    members                                                                           \
  };                                                                                  \
  static_assert(sizeof(name) <= kMaxConstants * sizeof(double), "the constants of " #name);
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
#undef AM_CONSTANT
}  // namespace constants

// The parameters of `count` elements.
template <class Constants>
OptimizerParams optimizer_params(std::uint32_t count, const Constants& values) {
  const auto numbers = std::bit_cast<std::array<double, sizeof(Constants) / sizeof(double)>>(values);
  OptimizerParams params{.count = count, .constants = {}, .constants_low = {}};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    params.constants[i] = static_cast<float>(numbers[i]);
    params.constants_low[i] = low_part(numbers[i]);
  }
  return params;
}

}  // namespace amphora
