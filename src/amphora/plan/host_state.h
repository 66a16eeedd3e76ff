// HostState: what a recorded step assumes of the host, and what it does to it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "amphora/plan/tracked.h"

namespace amphora::plan {

struct HostState {
  struct Cell {
    TrackedCell cell;
    std::int64_t value = 0;
  };
  std::vector<Cell> guards;                       // what tracked values must be
  std::vector<std::function<bool()>> conditions;  // what else must hold
  std::vector<Cell> effects;                      // what tracked values are afterwards
  std::vector<std::function<void()>> actions;     // what else is done, after that
  std::vector<Cell> before;                       // what the tracked values of `effects` were
  std::vector<std::function<void()>> undo;        // of what else capturing has changed, in its order

  // Whether the step would take the same course now.
  bool holds() const;
  // Leaves the host as the step would have.
  void apply() const;
  // Leaves the host as it was before the step was captured, for one that did not run.
  void roll_back() const;
};

}  // namespace amphora::plan
