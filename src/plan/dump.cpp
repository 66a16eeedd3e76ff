#include "plan/dump.h"

#include <algorithm>

#include <fmt/format.h>

#include "plan/use.h"

namespace amphora::plan {
namespace {

std::string function_of(const KernelCall& call) {
  const std::uint8_t f = call.spec.function;
  switch (call.id) {
    case KernelId::unary:
    case KernelId::unary_grad: return fmt::format("({})", kUnaryNames[f]);
    case KernelId::binary:
    case KernelId::binary_grad: return fmt::format("({})", kBinaryNames[f]);
    case KernelId::matmul: {
      const auto activation = static_cast<Activation>(f);
      const bool derivative = (call.spec.flags & kFlagDerivative) != 0;
      std::string text;
      if (call.buffer_count > 3 && call.buffers[3].bytes > 0) text += "+bias";
      if (activation != Activation::none) text += fmt::format("+{}{}", name_of(activation), derivative ? "'" : "");
      if ((call.spec.flags & kFlagBiasGradient) != 0) text += "+bias_gradient";
      return text;
    }
    default: return {};
  }
}

std::string shape_of(const KernelCall& call) {
  switch (call.id) {
    case KernelId::matmul: {
      const auto p = call.params<MatmulParams>();
      const bool ta = (call.spec.flags & kFlagTransposeA) != 0;
      const bool tb = (call.spec.flags & kFlagTransposeB) != 0;
      std::string text = p.batch > 1 ? fmt::format("{} of ", p.batch) : "";
      text += fmt::format("{}x{}{} * {}x{}{}", p.m, p.k, ta ? " (T)" : "", p.k, p.n, tb ? " (T)" : "");
      return p.beta != 0.0f ? text + " added" : text;
    }
    case KernelId::reduce:
    case KernelId::reduce_grad: {
      const auto p = call.params<ReduceParams>();
      return fmt::format("{}x{}x{} over the middle{}", p.outer, p.extent, p.inner, p.accumulate != 0 ? ", added" : "");
    }
    case KernelId::softmax:
    case KernelId::softmax_grad:
    case KernelId::cross_entropy:
    case KernelId::cross_entropy_grad: {
      const auto p = call.params<RowsParams>();
      return fmt::format("{}x{}", p.rows, p.columns);
    }
    case KernelId::copy: {
      const auto p = call.params<CopyParams>();
      std::string text;
      for (int axis = 0; axis < p.rank; ++axis) text += fmt::format("{}{}", axis == 0 ? "" : "x", p.sizes[axis]);
      return text;
    }
    case KernelId::binary:
    case KernelId::binary_grad: {
      const auto p = call.params<BinaryParams>();
      std::string text;
      for (int axis = 0; axis < p.rank; ++axis) text += fmt::format("{}{}", axis == 0 ? "" : "x", p.sizes[axis]);
      return text;
    }
    case KernelId::begin_step:
    case KernelId::scaler_update: return {};
    default: return fmt::format("{}", call.params<CountParams>().count);
  }
}

}  // namespace

std::string describe_shapes(const KernelCall& call) {
  std::string text = fmt::format("{}{}", name_of(call.id), function_of(call));
  if (const std::string shape = shape_of(call); !shape.empty()) text += fmt::format(" [{}]", shape);
  return text;
}

std::string dump(const Plan& plan) {
  std::string text =
      fmt::format("plan {:016x}: {} calls, {} values\n", hash(plan), plan.calls.size(), plan.values.size());
  for (std::size_t i = 0; i < plan.values.size(); ++i) {
    const Value& value = plan.values[i];
    text += fmt::format("  %{:<3} {:<9} {:>10} B  {}", i, name_of(value.role), value.bytes, name_of(value.kind));
    if (value.role == Role::input) text += fmt::format(" {}", value.input);
    if (value.made_here) text += ", a result";
    text += '\n';
  }
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const PlannedCall& planned = plan.calls[i];
    const KernelCall& call = planned.call;
    std::string in;
    std::string out;
    for (int k = 0; k < call.buffer_count; ++k) {
      const auto index = static_cast<std::size_t>(k);
      const int value = planned.values[index];
      const Use use = use_of(call, k, value != kNoValue);
      if (use == Use::absent) continue;
      const BufferRange& range = call.buffers[index];
      std::string part = fmt::format("%{}", value);
      if (range.offset > 0 || range.bytes != plan.values[static_cast<std::size_t>(value)].bytes) {
        part += fmt::format("[{}+{}]", range.offset, range.bytes);
      }
      const bool typed =
          index < call.spec.types.size() && call.id != KernelId::begin_step && call.id != KernelId::scaler_update;
      if (typed) part += fmt::format(":{}", name_of(call.spec.types[index]));
      if (reads(use)) in += (in.empty() ? "" : " ") + part;
      if (writes(use)) out += (out.empty() ? "" : " ") + part;
    }
    text += fmt::format("  {:>3}  {} <- {}  {}", i, out, in, describe_shapes(call));
    std::string place = planned.phase;
    if (!planned.op.empty()) place += fmt::format(" {}", planned.op);
    if (!planned.module.empty()) place += fmt::format(" {}", planned.module);
    text += place.empty() ? "\n" : fmt::format("  # {}\n", place);
  }
  return text;
}

}  // namespace amphora::plan
