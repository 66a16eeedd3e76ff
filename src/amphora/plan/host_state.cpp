#include "amphora/plan/host_state.h"

#include <algorithm>

namespace amphora::plan {

bool HostState::holds() const {
  return std::all_of(guards.begin(), guards.end(), [](const Cell& guard) { return *guard.cell == guard.value; }) &&
         std::all_of(conditions.begin(), conditions.end(), [](const auto& condition) { return condition(); });
}

void HostState::apply() const {
  for (const Cell& effect : effects) *effect.cell = effect.value;
  for (const auto& action : actions) action();
}

void HostState::roll_back() const {
  std::for_each(undo.rbegin(), undo.rend(), [](const auto& take_back) { take_back(); });
  for (const Cell& cell : before) *cell.cell = cell.value;
}

}  // namespace amphora::plan
