#include "amphora/device/value_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/kernel/describe.h"
#include "amphora/kernel/layout.h"
#include "amphora/kernel/operands.h"
#include "amphora/plan/dump.h"

namespace amphora {
namespace {

double largest_of(DType type) {
  switch (type) {
    case DType::f16: return 65504.0;
    case DType::bf16: return 0x1.FEp127;
    case DType::f64: return std::numeric_limits<double>::max();
    default: return std::numeric_limits<float>::max();
  }
}

void write_to_stderr(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

// A strided copy leaves what lies between its elements as it is, but reads none of them.
bool reads(const KernelCall& call, int index, bool present) {
  return reads(use_of(call, index, present)) && !(call.id == KernelId::copy && index == 1);
}

}  // namespace

struct ValueCheck::Found {
  int index = 0;  // of the buffer
  DType type = DType::f32;
  std::int64_t count = 0;
  std::optional<std::int64_t> element = std::nullopt;  // the first that is not finite
  double value = 0.0;
  double largest = 0.0;  // magnitude of the finite elements before it
};

struct ValueCheck::Operands {
  bool finite = true;
  double largest = 0.0;
  int largest_index = -1;
};

ValueCheck::ValueCheck(Device& device, Report report)
    : device_(device), report_(report ? std::move(report) : write_to_stderr) {}

void ValueCheck::run(const KernelCall& call, const std::function<void()>& launch) {
  const Operands operands = look_at_operands(call);
  launch();
  wait_for(call);
  bool told = !operands.finite;
  for (int i = 0; i < call.buffer_count; ++i) {
    const Buffer* buffer = call.buffers[static_cast<std::size_t>(i)].buffer;
    if (!writes(use_of(call, i, buffer != nullptr))) continue;
    const Found found = look(call, i);
    if (!found.element) continue;
    spoiled_.insert(buffer->id());
    if (!std::exchange(told, true)) report(call, found, origin_of(call, found, operands));
  }
}

ValueCheck::Operands ValueCheck::look_at_operands(const KernelCall& call) {
  Operands operands;
  for (int i = 0; i < call.buffer_count; ++i) {
    const Buffer* buffer = call.buffers[static_cast<std::size_t>(i)].buffer;
    if (!reads(call, i, buffer != nullptr)) continue;
    const Found found = look(call, i);
    if (found.largest > operands.largest) {
      operands.largest = found.largest;
      operands.largest_index = i;
    }
    // GradScaler::scale, forward and backward.
    if (call.id == KernelId::binary && i == 1 && context().place.op == "scale") loss_scale_ = found.largest;
    if (!found.element) continue;
    operands.finite = false;
    if (!spoiled_.insert(buffer->id()).second) continue;
    report(call, found,
           buffer->version() == 0
               ? "memory that nothing has written yet"
               : fmt::format("an input: no kernel has computed it, the host has put it there ({}); look at the data",
                             name_of(buffer->kind())));
  }
  return operands;
}

ValueCheck::Found ValueCheck::look(const KernelCall& call, int index) const {
  Found found{.index = index};
  const BufferRange& range = call.buffers[static_cast<std::size_t>(index)];
  const std::optional<DType> type = type_of(call, index);
  if (!type || !is_floating(*type) || range.bytes == 0) return found;
  found.type = *type;
  const auto in_range = static_cast<std::int64_t>(range.bytes / size_of(*type));
  const Layout layout = operand_use(call, index).layout;
  found.count = layout.count();
  const auto copy = device_.do_read(*range.buffer, range.offset, range.bytes);
  visit_dtype(*type, [&]<class Element>() {
    const auto* elements = reinterpret_cast<const Element*>(copy->get().data());
    layout.for_each([&](std::int64_t number, std::int64_t position) {
      if (position >= in_range) return false;
      const double value = load_element(elements[position]);
      if (std::isfinite(value)) {
        found.largest = std::max(found.largest, std::abs(value));
        return true;
      }
      found.element = number;
      found.value = std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;  // without a sign
      return false;
    });
  });
  return found;
}

void ValueCheck::wait_for(const KernelCall& call) {
  try {
    device_.do_wait();
  } catch (const Error& error) {
    const std::string place = describe(context().place);
    fail("{}\n  in the call {}{}", error.what(), describe_shapes(call), place.empty() ? "" : ", " + place);
  }
}

std::string ValueCheck::origin_of(const KernelCall& call, const Found& found, const Operands& operands) const {
  if (call.id == KernelId::fill) return "a constant: the program fills the array with it";
  std::string operands_are = "every operand is finite";
  if (operands.largest_index >= 0) {
    operands_are += fmt::format(", the largest is {:g} in '{}'", operands.largest,
                                operand_of(call.id, operands.largest_index).name);
  }
  const std::string why =
      std::isnan(found.value)
          ? operands_are +
                ", and the result is undefined (0 / 0, inf - inf, a root or a logarithm below 0, a label "
                "that is no class)"
          : fmt::format("{}, and {} ends at {:g}", operands_are, name_of(found.type), largest_of(found.type));
  const Place& place = context().place;
  if (place.phase == "backward" || place.op == "scale") {
    const std::string scaled =
        loss_scale_ > 0.0
            ? fmt::format("the loss scale is {:g}. Expected now and then: the step is skipped, the scale backs off",
                          loss_scale_)
            : "no GradScaler has scaled the loss; one would skip the step";
    return fmt::format("a scaled gradient: {}; {}", why, scaled);
  }
  if (place.phase == "forward" || place.phase == "recompute") {
    return std::isnan(found.value) ? fmt::format("a forward result: {}", why)
                                   : fmt::format("a forward overflow: {}, unless it is a pole (x / 0, log 0)", why);
  }
  return fmt::format("{}: {}", place.phase == "step" ? "an update" : "a result", why);
}

void ValueCheck::report(const KernelCall& call, const Found& found, const std::string& origin) {
  const Place& place = context().place;
  const std::string_view phase = place.phase == "recompute" ? "forward" : place.phase;  // the same once more
  const std::string_view buffer = operand_of(call.id, found.index).name;
  const std::string_view kind = std::string_view(origin).substr(0, origin.find(':'));
  const std::string here =
      fmt::format("{} {} {} {} {} {}", kind, name_of(call.id), buffer, phase, place.op, place.module);
  if (!reported_.insert(here).second) return;
  const std::string where = describe(place);
  report_(
      fmt::format("amphora: a value is not finite (AMPHORA_CHECK)\n"
                  "  value   {} at element {} of '{}' ({}, {} in all)\n"
                  "  kernel  {}\n"
                  "  place   {}\n"
                  "  origin  {}\n",
                  found.value, *found.element, buffer, name_of(found.type), found.count, describe_shapes(call),
                  where.empty() ? "outside of ops" : where, origin));
}

}  // namespace amphora
