#include "amphora/plan/dump.h"

#include <fmt/format.h>

#include "amphora/kernel/optimizers.h"
#include "amphora/kernel/use.h"

namespace amphora::plan {
namespace {

// A function with the constants that it has.
std::string unary_function(const KernelCall& call) {
  const auto p = call.params<UnaryParams>();
  const std::string_view name = kUnaryNames[call.spec.function];
  switch (static_cast<UnaryFunction>(call.spec.function)) {
    case UnaryFunction::leaky_relu:
    case UnaryFunction::pow: return fmt::format("({} {})", name, p.p0);
    case UnaryFunction::clamp:
    case UnaryFunction::affine: return fmt::format("({} {} {})", name, p.p0, p.p1);
    default: return fmt::format("({})", name);
  }
}

std::string function_of(const KernelCall& call) {
  const std::uint8_t f = call.spec.function;
  switch (call.id) {
    case KernelId::fill: return fmt::format("({})", call.params<FillParams>().value);
    case KernelId::unary:
    case KernelId::unary_grad: return unary_function(call);
    case KernelId::binary:
    case KernelId::binary_grad: return fmt::format("({})", kBinaryNames[f]);
    case KernelId::optimizer_step: return fmt::format("({})", kOptimizers[f].name);
    case KernelId::reduce:
    case KernelId::reduce_grad: {
      constexpr std::string_view kNames[] = {"sum", "max", "min"};
      return fmt::format("({})", kNames[f]);
    }
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

namespace {

// "%3:f16", or "%3[256+64]:f16" for 64 bytes from the 256th on.
std::string operand(const Plan& plan, const PlannedCall& planned, int index) {
  const auto i = static_cast<std::size_t>(index);
  const BufferRange& range = planned.call.buffers[i];
  std::string text = fmt::format("%{}", planned.values[i]);
  if (range.offset > 0 || range.bytes != plan.values[static_cast<std::size_t>(planned.values[i])].bytes) {
    text += fmt::format("[{}+{}]", range.offset, range.bytes);
  }
  if (const auto type = type_of(planned.call, index)) text += fmt::format(":{}", name_of(*type));
  return text;
}

// "%5:f16 <- %3:f16 %4:f16": what is written, and what is read. What is updated is both.
std::string operands(const Plan& plan, const PlannedCall& planned) {
  std::string in;
  std::string out;
  for (int i = 0; i < planned.call.buffer_count; ++i) {
    const Use use = use_of(planned.call, i, planned.values[static_cast<std::size_t>(i)] != kNoValue);
    if (use == Use::absent) continue;
    const std::string text = operand(plan, planned, i);
    if (writes(use)) out += (out.empty() ? "" : " ") + text;
    if (reads(use)) in += " " + text;
  }
  return fmt::format("{} <-{}", out, in);
}

}  // namespace

std::string describe_place(const PlannedCall& planned) {
  std::string place = planned.phase;
  for (const std::string& part : {planned.op, planned.module}) {
    if (!part.empty()) place += (place.empty() ? "" : " ") + part;
  }
  return place;
}

std::string dump(const Plan& plan) {
  Cost total;
  for (const PlannedCall& planned : plan.calls) {
    const Cost cost = cost_of(planned.call);
    total.flops += cost.flops;
    total.bytes += cost.bytes;
  }
  std::string text =
      fmt::format("plan {:016x}: {} calls, {} values, {:.3g} GFLOP, {:.3g} MiB read and written\n", hash(plan),
                  plan.calls.size(), plan.values.size(), total.flops / 1e9, total.bytes / 0x1p20);
  for (std::size_t i = 0; i < plan.values.size(); ++i) {
    const Value& value = plan.values[i];
    text += fmt::format("  {:<5}{:<9} {:>11} B  {}", fmt::format("%{}", i), name_of(value.role), value.bytes,
                        name_of(value.kind));
    if (value.role == Role::input) text += fmt::format(" {}", value.input);
    if (value.made_here) text += ", a result";
    text += '\n';
  }
  // Columns of fixed width, so that texts of two plans differ only where the plans do.
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const PlannedCall& planned = plan.calls[i];
    std::string line = fmt::format("  {:<5}{:<44}  {}", i, describe_shapes(planned.call), operands(plan, planned));
    if (const std::string place = describe_place(planned); !place.empty())
      line = fmt::format("{:<90}  # {}", line, place);
    text += line + '\n';
  }
  for (const Feed& feed : plan.feeds) {
    text += fmt::format("  fed: {} ({} B at {})\n", feed.name, feed.bytes, feed.offset);
  }
  return text;
}

}  // namespace amphora::plan
