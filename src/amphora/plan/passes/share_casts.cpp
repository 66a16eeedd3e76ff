#include <algorithm>

#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

bool is_repeated(std::string_view phase) { return phase == "recompute"; }

// Whether a result of the first call may serve where the second one's does. Longer lives are not worth a cast where
// they reach into another phase: from forward to backward all memory of a step is alive.
bool in_one_phase(const Plan& plan, std::size_t first, std::size_t second) {
  const std::string& phase = plan.calls[first].phase;
  if (phase != plan.calls[second].phase) return false;
  return !is_repeated(phase) || std::all_of(plan.calls.begin() + static_cast<std::ptrdiff_t>(first),
                                            plan.calls.begin() + static_cast<std::ptrdiff_t>(second),
                                            [&phase](const PlannedCall& call) { return call.phase == phase; });
}

bool same_cast(const PlannedCall& a, const PlannedCall& b) {
  return b.call.id == KernelId::cast && a.call.type_at(op::cast::in) == b.call.type_at(op::cast::in) &&
         a.call.type_at(op::cast::out) == b.call.type_at(op::cast::out) &&
         piece_of(a, op::cast::in) == piece_of(b, op::cast::in) &&
         piece_of(a, op::cast::out).bytes() == piece_of(b, op::cast::out).bytes();
}

// The earlier cast whose result may stand for that of cast `second`; null where there is none.
const ValueAccess* earlier_cast(const Plan& plan, const Accesses& accesses, std::size_t second) {
  const PlannedCall& planned = plan.calls[second];
  const Piece source = piece_of(planned, op::cast::in);
  const Piece result = piece_of(planned, op::cast::out);
  const ValueAccess* maker = accesses.maker_of(result.value);
  if (maker == nullptr || maker->call != second) return nullptr;
  const std::size_t last = accesses.of(result.value).back().call;
  for (const ValueAccess& read : accesses.of(source.value)) {
    if (read.call >= second) break;
    const PlannedCall& first = plan.calls[read.call];
    if (read.index != op::cast::in || !same_cast(planned, first) || use_of(first, op::cast::out) != Use::write)
      continue;
    const bool holds = accesses.unwritten(source, read.call, second) &&
                       accesses.unwritten(piece_of(first, op::cast::out), read.call + 1, last + 1);
    if (holds && in_one_phase(plan, read.call, second)) return &read;
  }
  return nullptr;
}

}  // namespace

int share_casts(Plan& plan) {
  int shared = 0;
  Accesses accesses(plan);
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    if (is_out(plan.calls[call]) || plan.calls[call].call.id != KernelId::cast) continue;
    const ValueAccess* first = earlier_cast(plan, accesses, call);
    if (first == nullptr) continue;
    const Piece kept = piece_of(plan.calls[first->call], op::cast::out);
    for (const ValueAccess& access : accesses.of(piece_of(plan.calls[call], op::cast::out).value)) {
      const Piece part{kept.value, kept.begin + access.piece.begin, kept.begin + access.piece.end};
      point(plan.calls[access.call], access.index, part);
    }
    take_out(plan.calls[call]);
    accesses = Accesses(plan);
    ++shared;
  }
  sweep(plan);
  return shared;
}

}  // namespace amphora::plan
