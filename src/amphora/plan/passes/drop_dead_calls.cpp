#include <algorithm>

#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

// Bytes that are read later, by value.
class Needed {
 public:
  // At the end of a step: all that outlives it.
  explicit Needed(const Plan& plan) : pieces_(plan.values.size()) {
    for (std::size_t value = 0; value < plan.values.size(); ++value) {
      if (plan.values[value].role != Role::transient) add({static_cast<int>(value), 0, plan.values[value].bytes});
    }
  }

  void add(const Piece& piece) { of(piece).push_back(piece); }

  void remove(const Piece& piece) {
    std::vector<Piece> rest;
    for (const Piece& needed : of(piece)) {
      if (!overlap(needed, piece)) {
        rest.push_back(needed);
        continue;
      }
      if (needed.begin < piece.begin) rest.push_back({needed.value, needed.begin, piece.begin});
      if (piece.end < needed.end) rest.push_back({needed.value, piece.end, needed.end});
    }
    of(piece) = std::move(rest);
  }

  bool any(const Piece& piece) {
    return std::ranges::any_of(of(piece), [&piece](const Piece& needed) { return overlap(needed, piece); });
  }

 private:
  std::vector<Piece>& of(const Piece& piece) { return pieces_[static_cast<std::size_t>(piece.value)]; }

  std::vector<std::vector<Piece>> pieces_;
};

}  // namespace

int drop_dead_calls(Plan& plan) {
  Needed needed(plan);
  for (std::size_t call = plan.calls.size(); call-- > 0;) {
    PlannedCall& planned = plan.calls[call];
    const int count = planned.call.buffer_count;
    bool is_needed = false;
    for (int i = 0; i < count; ++i) {
      is_needed = is_needed || (writes(use_of(planned, i)) && needed.any(piece_of(planned, i)));
    }
    if (!is_needed) {
      take_out(planned);
      continue;
    }
    for (int i = 0; i < count; ++i) {
      if (use_of(planned, i) == Use::write) needed.remove(piece_of(planned, i));
    }
    for (int i = 0; i < count; ++i) {
      if (reads(use_of(planned, i))) needed.add(piece_of(planned, i));
    }
  }
  return sweep(plan);
}

}  // namespace amphora::plan
