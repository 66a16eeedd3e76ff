#include "amphora/kernel/operands.h"

#include <algorithm>

#include "amphora/kernel/optimizers.h"

namespace amphora {
namespace {

// One function a kernel, which evaluates the expressions of its row.
namespace evaluate {

using namespace layouts;
using enum Access;

#define AM_OPERAND(name, access, elements, layout) \
  if (index == next++) return {access, true, layout};
#define AM_OPTIONAL(name, needed, access, elements, layout) \
  if (index == next++) return {access, needed, layout};
#define AMPHORA_KERNEL(id, Params, functions, operands)                                           \
  OperandUse id(const KernelCall& call, int index) {                                              \
    [[maybe_unused]] const auto p = call.params<Params>();                                        \
    [[maybe_unused]] const Spec& spec = call.spec;                                                \
    [[maybe_unused]] const auto has = [&call](std::uint8_t flag) { return call.has_flag(flag); }; \
    int next = 0;                                                                                 \
    operands return {};                                                                           \
  }
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
#undef AM_OPERAND
#undef AM_OPTIONAL

}  // namespace evaluate

using Evaluate = OperandUse (*)(const KernelCall& call, int index);
constexpr Evaluate kEvaluate[] = {
#define AMPHORA_KERNEL(id, params, functions, operands) evaluate::id,
#include "amphora/kernel/kernels.def"
#undef AMPHORA_KERNEL
};

constexpr bool only_reads(Access access) { return access == Access::read || access == Access::read_in_place; }

bool is_state(const KernelCall& call, int index) { return operand_of(call.id, index).elements == Elements::state; }

// The most elements that an array of the call has.
double largest_count(const KernelCall& call) {
  std::size_t most = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    if (const auto type = type_of(call, i)) most = std::max(most, call.at(i).bytes / size_of(*type));
  }
  return static_cast<double>(most);
}

}  // namespace

OperandUse operand_use(const KernelCall& call, int index) {
  return kEvaluate[static_cast<std::size_t>(call.id)](call, index);
}

bool is_written(const KernelCall& call, int index) { return !only_reads(operand_use(call, index).access); }

std::optional<DType> type_of(KernelId kernel, const Spec& spec, int index) {
  const OperandInfo& operand = operand_of(kernel, index);
  switch (operand.elements) {
    case Elements::any:
    case Elements::floating:
    case Elements::master: return spec.types[static_cast<std::size_t>(index)];
    case Elements::like: return type_of(kernel, spec, operand.like);
    case Elements::f32: return DType::f32;
    case Elements::i32: return DType::i32;
    case Elements::state: break;
  }
  return std::nullopt;
}

std::optional<DType> type_of(const KernelCall& call, int index) { return type_of(call.id, call.spec, index); }

Use use_of(const KernelCall& call, int index, bool present) {
  if (!present) return Use::absent;
  const OperandUse use = operand_use(call, index);
  if (only_reads(use.access)) return Use::read;
  const auto type = type_of(call, index);
  if (use.access != Access::write || !type || !use.layout.is_dense()) return Use::update;
  const std::size_t bytes = static_cast<std::size_t>(use.layout.count()) * size_of(*type);
  return bytes == call.at(index).bytes ? Use::write : Use::update;
}

bool is_empty(const KernelCall& call) {
  for (int i = 0; i < call.buffer_count; ++i) {
    const OperandUse use = operand_use(call, i);
    if (call.at(i).buffer == nullptr || only_reads(use.access)) continue;
    if (is_state(call, i) || use.layout.count() > 0) return false;
  }
  return true;
}

Cost cost_of(const KernelCall& call) {
  Cost cost;
  int arrays = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    if (call.at(i).bytes == 0) continue;
    const Access access = operand_use(call, i).access;
    const auto bytes = static_cast<double>(call.at(i).bytes);
    const bool is_read = only_reads(access) || access == Access::update;
    if (is_read) cost.bytes += bytes;
    if (!only_reads(access)) cost.bytes += bytes;
    if (is_read && !is_state(call, i)) ++arrays;
  }
  if (call.id == KernelId::matmul) {
    const auto p = call.params<MatmulParams>();
    cost.flops = 2.0 * p.m * p.n * p.k * p.batch;
  } else if (call.id != KernelId::fill && call.id != KernelId::cast && call.id != KernelId::copy) {
    cost.flops = largest_count(call) * arrays;
  }
  return cost;
}

int result_in_place(const KernelCall& call) {
  int result = -1;
  bool takes_a_place = false;
  for (int i = 0; i < static_cast<int>(info_of(call.id).operands.size()); ++i) {
    const Access access = operand_use(call, i).access;
    if (access == Access::write && result < 0) result = i;
    takes_a_place = takes_a_place || access == Access::read_in_place;
  }
  return takes_a_place ? result : -1;
}

bool may_overwrite(const KernelCall& call, int index) {
  const int result = result_in_place(call);
  if (result < 0) return false;
  const OperandUse use = operand_use(call, index);
  return use.access == Access::read_in_place && use.layout.is_dense() &&
         size_of(*type_of(call, index)) == size_of(*type_of(call, result));
}

}  // namespace amphora
