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

  // Whether the step would take the same course now.
  bool holds() const;
  // Leaves the host as the step would have.
  void apply() const;
};

}  // namespace amphora::plan
