#include "amphora/kernel/derivatives.h"
#include "amphora/plan/passes/accesses.h"
#include "amphora/plan/passes/passes.h"

namespace amphora::plan {
namespace {

// Reads buffer `from` where the call read buffer `index`.
void read_instead(PlannedCall& planned, int index, int from) {
  point(planned, index, piece_of(planned, from));
  auto& types = planned.call.spec.types;
  types[static_cast<std::size_t>(index)] = types[static_cast<std::size_t>(from)];
}

constexpr int kDy = 2;

PlannedCall spared_unary(const PlannedCall& planned) {
  PlannedCall result = planned;
  const auto function = static_cast<UnaryFunction>(planned.call.spec.function);
  const DerivativeReads looks = kUnaryReads[planned.call.spec.function];
  const auto& types = planned.call.spec.types;
  // relu's result is positive where its argument is, unless rounding to another type makes it 0.
  const bool result_tells = function == UnaryFunction::relu && types[0] == types[1];
  if (!looks[0] || result_tells) read_instead(result, 0, looks[1] || result_tells ? 1 : kDy);
  if (!looks[1] && !result_tells) read_instead(result, 1, looks[0] ? 0 : kDy);
  return result;
}

PlannedCall spared_binary(const PlannedCall& planned) {
  PlannedCall result = planned;
  auto params = planned.call.params<BinaryParams>();
  const auto& looks = kBinaryReads[planned.call.spec.function][(planned.call.spec.flags & kFlagSecond) != 0 ? 1 : 0];
  std::int32_t* const strides[] = {params.a_strides, params.b_strides};
  for (int operand = 0; operand < 2; ++operand) {
    if (looks[static_cast<std::size_t>(operand)]) continue;
    read_instead(result, operand, kDy);
    for (int axis = 0; axis < params.rank; ++axis) strides[operand][axis] = params.dy_strides[axis];
  }
  result.call = with_params(result.call, params);
  return result;
}

}  // namespace

int drop_unread_operands(Plan& plan, const PathOf& path_of) {
  int changes = 0;
  for (PlannedCall& planned : plan.calls) {
    const KernelId id = planned.call.id;
    if (id != KernelId::unary_grad && id != KernelId::binary_grad) continue;
    PlannedCall spared = id == KernelId::unary_grad ? spared_unary(planned) : spared_binary(planned);
    if (spared.values == planned.values || path_of(id, spared.call.spec) != path_of(id, planned.call.spec)) continue;
    planned = std::move(spared);
    ++changes;
  }
  return changes;
}

}  // namespace amphora::plan
