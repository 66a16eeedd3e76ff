#include <algorithm>
#include <optional>

#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

// The call as it is where its buffer `index`, which it updates, holds zeros; nothing for what is no sum.
std::optional<KernelCall> without_sum(const KernelCall& call, int index) {
  KernelCall result = call;
  switch (call.id) {
    case KernelId::matmul: {
      auto params = call.params<MatmulParams>();
      if (index == op::matmul::bias_gradient) {
        result.spec.flags = static_cast<std::uint8_t>(call.spec.flags & ~kMatmulAddBiasGradient);
        return result;
      }
      params.beta = 0.0f;
      return with_params(call, params);
    }
    case KernelId::reduce: {
      auto params = call.params<ReduceParams>();
      params.accumulate = 0;
      return with_params(call, params);
    }
    case KernelId::accumulate: result.id = KernelId::cast; return result;
    default: return std::nullopt;
  }
}

// Whether the bytes that an access adds to are zeros that a fill has left there.
bool adds_to_zeros(const Plan& plan, const Accesses& accesses, const ValueAccess& sum) {
  const ValueAccess* last = nullptr;
  for (const ValueAccess& access : accesses.of(sum.piece.value)) {
    if (access.call > sum.call) break;
    if (!overlap(access.piece, sum.piece)) continue;
    if (access.call == sum.call && access.index != sum.index) return false;
    if (access.call < sum.call) last = &access;
  }
  if (last == nullptr || !contains(last->piece, sum.piece)) return false;
  const KernelCall& fill = plan.calls[last->call].call;
  return fill.id == KernelId::fill && fill.params<FillParams>().value == 0.0f && last->use == Use::write;
}

}  // namespace

int store_instead_of_accumulate(Plan& plan, const PathOf& path_of) {
  int changes = 0;
  Accesses accesses(plan);
  for (std::size_t call = 0; call < plan.calls.size(); ++call) {
    PlannedCall& planned = plan.calls[call];
    for (int i = 0; i < planned.call.buffer_count; ++i) {
      if (use_of(planned, i) != Use::update) continue;
      const auto plain = without_sum(planned.call, i);
      if (!plain || use_of(*plain, i, true) != Use::write || path_of(plain->id, plain->spec).empty()) continue;
      if (!adds_to_zeros(plan, accesses, {call, i, Use::update, piece_of(planned, i)})) continue;
      planned.call = *plain;
      accesses = Accesses(plan);
      ++changes;
    }
  }
  return changes;
}

}  // namespace amphora::plan
