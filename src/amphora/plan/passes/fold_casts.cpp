#include <algorithm>

#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

// Kernels whose elements depend on nothing but what lies at their own places, so that types decide about loads and
// stores alone. Sums are left out: a path may add in another order for another type.
bool is_pointwise(KernelId id) {
  switch (id) {
    case KernelId::unary:
    case KernelId::unary_grad:
    case KernelId::binary:
    case KernelId::binary_grad:
    case KernelId::dropout: return true;
    default: return false;
  }
}

bool stays_on_its_path(const KernelCall& call, const Spec& spec, const PathOf& path_of) {
  const std::string path = path_of(call.id, call.spec);
  return !path.empty() && path != "oracle" && path_of(call.id, spec) == path;
}

void set_type(Spec& spec, int index, DType type) { spec.types[static_cast<std::size_t>(index)] = type; }

// A call's types once each buffer that lies in `value` is of `type`.
Spec with_type(const PlannedCall& planned, int value, DType type) {
  Spec spec = planned.call.spec;
  for (int i = 0; i < planned.call.buffer_count; ++i) {
    if (planned.values[static_cast<std::size_t>(i)] == value) set_type(spec, i, type);
  }
  return spec;
}

bool may_load(const Plan& plan, const Accesses& accesses, std::size_t cast, const ValueAccess& read,
              const PathOf& path_of) {
  const PlannedCall& reader = plan.calls[read.call];
  if (!is_pointwise(reader.call.id) || !type_of(reader.call, read.index)) return false;
  const DType low = plan.calls[cast].call.type_at(op::cast::in);
  return accesses.unwritten(piece_of(plan.calls[cast], op::cast::in), cast, read.call + 1) &&
         stays_on_its_path(reader.call, with_type(reader, read.piece.value, low), path_of);
}

// Lets those who read a widened value read what it was widened from.
bool fold_into_loads(Plan& plan, const Accesses& accesses, std::size_t cast, const PathOf& path_of) {
  const Piece source = piece_of(plan.calls[cast], op::cast::in);
  const int widened = piece_of(plan.calls[cast], op::cast::out).value;
  const ValueAccess* maker = accesses.maker_of(widened);
  if (maker == nullptr || maker->call != cast) return false;
  const auto reads = accesses.of(widened).subspan(1);
  const bool all = std::ranges::all_of(
      reads, [&](const ValueAccess& read) { return may_load(plan, accesses, cast, read, path_of); });
  if (!all || reads.empty()) return false;
  for (const ValueAccess& read : reads) {
    PlannedCall& reader = plan.calls[read.call];
    set_type(reader.call.spec, read.index, plan.calls[cast].call.type_at(op::cast::in));
    point(reader, read.index, {source.value, source.begin + read.piece.begin / 2, source.begin + read.piece.end / 2});
  }
  take_out(plan.calls[cast]);
  return true;
}

// Lets the call that makes an f32 value, which only the cast reads, store what the cast would.
bool fold_into_store(Plan& plan, const Accesses& accesses, std::size_t cast, const PathOf& path_of) {
  const Piece wide = piece_of(plan.calls[cast], op::cast::in);
  const Piece narrow = piece_of(plan.calls[cast], op::cast::out);
  const ValueAccess* maker = accesses.maker_of(wide.value);
  if (maker == nullptr || accesses.of(wide.value).size() != 2 || !(maker->piece == wide)) return false;
  PlannedCall& producer = plan.calls[maker->call];
  if (!is_pointwise(producer.call.id) || maker->index != result_in_place(producer.call)) return false;
  if (use_of(plan.calls[cast], op::cast::out) != Use::write) return false;
  // Nobody may see the result too early, the producer's operands included.
  const bool free = accesses.untouched(narrow, maker->call, cast);
  Spec spec = producer.call.spec;
  set_type(spec, maker->index, plan.calls[cast].call.type_at(op::cast::out));
  if (!free || !stays_on_its_path(producer.call, spec, path_of)) return false;
  producer.call.spec = spec;
  point(producer, maker->index, narrow);
  take_out(plan.calls[cast]);
  return true;
}

}  // namespace

int fold_casts(Plan& plan, const PathOf& path_of) {
  int folded = 0;
  Accesses accesses(plan);
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    const PlannedCall& planned = plan.calls[call];
    if (is_out(planned) || planned.call.id != KernelId::cast) continue;
    const DType from = planned.call.type_at(op::cast::in);
    const DType to = planned.call.type_at(op::cast::out);
    const bool done = (is_16bit(from) && to == DType::f32 && fold_into_loads(plan, accesses, call, path_of)) ||
                      (from == DType::f32 && is_16bit(to) && fold_into_store(plan, accesses, call, path_of));
    if (!done) continue;
    accesses = Accesses(plan);
    ++folded;
  }
  sweep(plan);
  return folded;
}

}  // namespace amphora::plan
