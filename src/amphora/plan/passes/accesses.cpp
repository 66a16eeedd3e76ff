#include "amphora/plan/passes/accesses.h"

#include <algorithm>

namespace amphora::plan {

bool overlap(const Piece& a, const Piece& b) { return a.value == b.value && a.begin < b.end && b.begin < a.end; }

bool contains(const Piece& outer, const Piece& inner) {
  return outer.value == inner.value && outer.begin <= inner.begin && inner.end <= outer.end;
}

Piece piece_of(const PlannedCall& planned, int index) {
  const auto i = static_cast<std::size_t>(index);
  const BufferRange& range = planned.call.buffers[i];
  return {planned.values[i], range.offset, range.offset + range.bytes};
}

void point(PlannedCall& planned, int index, const Piece& piece) {
  const auto i = static_cast<std::size_t>(index);
  planned.values[i] = piece.value;
  planned.call.buffers[i] = {nullptr, piece.begin, piece.bytes()};
}

void add_buffer(PlannedCall& planned, int index, const Piece& piece) {
  planned.call.buffer_count = std::max(planned.call.buffer_count, index + 1);
  point(planned, index, piece);
}

Use use_of(const PlannedCall& planned, int index) {
  return use_of(planned.call, index, planned.values[static_cast<std::size_t>(index)] != kNoValue);
}

void take_out(PlannedCall& planned) {
  planned.call.buffer_count = 0;
  planned.values.fill(kNoValue);
}

bool is_out(const PlannedCall& planned) { return planned.call.buffer_count == 0; }

int sweep(Plan& plan) { return static_cast<int>(std::erase_if(plan.calls, is_out)); }

Accesses::Accesses(const Plan& plan) : plan_(&plan), by_value_(plan.values.size()) {
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    const PlannedCall& planned = plan.calls[call];
    for (int index = 0; index < planned.call.buffer_count; ++index) {
      const Use use = use_of(planned, index);
      if (use == Use::absent) continue;
      const Piece piece = piece_of(planned, index);
      by_value_[static_cast<std::size_t>(piece.value)].push_back({call, index, use, piece});
    }
  }
}

bool Accesses::unwritten(const Piece& piece, std::size_t begin, std::size_t end) const {
  return std::ranges::none_of(of(piece.value), [&](const ValueAccess& access) {
    return access.call >= begin && access.call < end && writes(access.use) && overlap(access.piece, piece);
  });
}

bool Accesses::untouched(const Piece& piece, std::size_t begin, std::size_t end) const {
  return std::ranges::none_of(of(piece.value), [&](const ValueAccess& access) {
    return access.call >= begin && access.call < end && overlap(access.piece, piece);
  });
}

const ValueAccess* Accesses::maker_of(int value) const {
  const auto accesses = of(value);
  const Value& made = plan_->values[static_cast<std::size_t>(value)];
  if (made.role != Role::transient || accesses.empty()) return nullptr;
  const auto writers = std::ranges::count_if(accesses, [](const ValueAccess& access) { return writes(access.use); });
  const auto maker = std::ranges::find_if(accesses, [](const ValueAccess& access) { return writes(access.use); });
  const bool whole = maker != accesses.end() && maker->use == Use::write && maker->piece.bytes() == made.bytes;
  return whole && writers == 1 && accesses.front().call == maker->call && accesses.front().index == maker->index
             ? &*maker
             : nullptr;
}

}  // namespace amphora::plan
