// The memory of a step's transient values: one arena, laid out beforehand.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "amphora/plan/plan.h"

namespace amphora::plan {

inline constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

// The calls from the first to the last that touch a value; -1 where none does.
struct Life {
  int first = -1;
  int last = -1;
  std::size_t calls() const { return static_cast<std::size_t>(last) - static_cast<std::size_t>(first) + 1; }
  bool overlaps(const Life& other) const { return first <= other.last && other.first <= last; }
};

struct MemoryPlan {
  std::vector<Life> lives;           // by value
  std::vector<std::size_t> offsets;  // by value; kNowhere for what is not in the arena
  std::size_t bytes = 0;             // of the arena
  std::size_t live_peak = 0;         // the most bytes alive at once; no layout can do with less
  int peak_call = -1;                // where that is
  std::vector<int> held;             // the values that fill it there, largest first
  int in_place = 0;                  // results that took an operand's place
};

// Lays values out by their lives: greedily in several orders, such as the largest first (Pisarchyk & Lee 2020, greedy
// by size), of which the best is kept. A result takes an operand's place where that dies in the same call and the
// kernel allows it (plan/in_place.h). Offsets are multiples of 256.
MemoryPlan plan_memory(const Plan& plan);

// The arena's size, the peak and where it is, and what it holds: a table.
std::string describe(const Plan& plan, const MemoryPlan& memory);

}  // namespace amphora::plan
