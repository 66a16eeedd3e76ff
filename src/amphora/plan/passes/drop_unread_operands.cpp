#include <algorithm>

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

PlannedCall reduced_unary(const PlannedCall& planned) {
  PlannedCall result = planned;
  const auto function = static_cast<UnaryFunction>(planned.call.spec.function);
  const auto [reads_x, reads_y] = kUnaryReads[planned.call.spec.function];
  const auto& types = planned.call.spec.types;
  // relu's result is positive where its argument is, unless rounding to another type makes it 0.
  const bool result_tells = function == UnaryFunction::relu && types[op::unary_grad::x] == types[op::unary_grad::y];
  using namespace op::unary_grad;
  if (!reads_x || result_tells) read_instead(result, x, reads_y || result_tells ? y : dy);
  if (!reads_y && !result_tells) read_instead(result, y, reads_x ? x : dy);
  return result;
}

PlannedCall reduced_binary(const PlannedCall& planned) {
  PlannedCall result = planned;
  auto params = planned.call.params<BinaryParams>();
  const auto& reads = kBinaryReads[planned.call.spec.function][planned.call.has_flag(kBinaryGradSecond) ? 1 : 0];
  const auto read_dy_instead = [&](int operand, std::int32_t* strides) {
    read_instead(result, operand, op::binary_grad::dy);
    std::copy_n(params.dy_strides, params.rank, strides);
  };
  if (!reads[0]) read_dy_instead(op::binary_grad::a, params.a_strides);
  if (!reads[1]) read_dy_instead(op::binary_grad::b, params.b_strides);
  result.call = with_params(result.call, params);
  return result;
}

}  // namespace

int drop_unread_operands(Plan& plan, const PathOf& path_of) {
  int changes = 0;
  for (PlannedCall& planned : plan.calls) {
    const KernelId id = planned.call.id;
    if (id != KernelId::unary_grad && id != KernelId::binary_grad) continue;
    PlannedCall reduced = id == KernelId::unary_grad ? reduced_unary(planned) : reduced_binary(planned);
    if (reduced.values == planned.values || path_of(id, reduced.call.spec) != path_of(id, planned.call.spec)) continue;
    planned = std::move(reduced);
    ++changes;
  }
  return changes;
}

}  // namespace amphora::plan
