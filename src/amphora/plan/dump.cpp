#include "amphora/plan/dump.h"

#include <fmt/format.h>

#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"

namespace amphora::plan {
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
