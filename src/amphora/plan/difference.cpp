// first_difference(): two recordings of one step, compared in the words of the program.
#include <algorithm>

#include <fmt/format.h>

#include "amphora/kernel/describe.h"
#include "amphora/kernel/operands.h"
#include "amphora/plan/dump.h"
#include "amphora/plan/plan.h"

namespace amphora::plan {
namespace {

// "relu in 'linear' of layers.0, backward": a call by what it computes and where it comes from.
std::string describe(const PlannedCall& planned) {
  std::string text = describe_shapes(planned.call);
  if (!planned.op.empty()) text += fmt::format(" in '{}'", planned.op);
  if (!planned.module.empty()) text += fmt::format(" of {}", planned.module);
  if (!planned.phase.empty()) text += fmt::format(", {}", planned.phase);
  return text;
}

// The call that first writes a value; null where none does.
const PlannedCall* maker_of(const Plan& plan, int value) {
  for (const PlannedCall& planned : plan.calls) {
    for (int i = 0; i < planned.call.buffer_count; ++i) {
      if (planned.values[static_cast<std::size_t>(i)] == value && is_written(planned.call, i)) return &planned;
    }
  }
  return nullptr;
}

// What a value is in the program's words.
std::string describe(const Plan& plan, int index) {
  if (index == kNoValue) return "nothing";
  const Value& value = plan.values[static_cast<std::size_t>(index)];
  switch (value.role) {
    case Role::input: return fmt::format("input {}", value.input);
    case Role::feed: return "numbers that the host feeds";
    default: break;
  }
  if (value.role == Role::kept && !value.made_here) {
    return fmt::format("{} of {} bytes from before the step", name_of(value.kind), value.bytes);
  }
  const PlannedCall* maker = maker_of(plan, index);
  return maker == nullptr ? fmt::format("{} bytes that no call wrote", value.bytes)
                          : fmt::format("the result of {}", describe(*maker));
}

bool same_value(const Value& a, const Value& b) {
  return a.role == b.role && a.bytes == b.bytes && a.kind == b.kind && a.input == b.input &&
         a.made_here == b.made_here && a.content == b.content && (a.made_here || a.buffer == b.buffer);
}

bool same_range(const BufferRange& a, const BufferRange& b) { return a.offset == b.offset && a.bytes == b.bytes; }

// How buffer `i` of a call differs in what it names; empty where it does not.
std::string value_difference(const Plan& a, const Plan& b, const PlannedCall& x, const PlannedCall& y, std::size_t i) {
  const std::string_view name = operand_of(x.call.id, static_cast<int>(i)).name;
  const auto message = [&](const std::string& first, const std::string& second) {
    return fmt::format("'{}' is {} the first time and {} the second", name, first, second);
  };
  const int first = x.values[i];
  const int second = y.values[i];
  if (first != second) {
    const std::string one = describe(a, first);
    const std::string other = describe(b, second);
    if (one != other) return message(one, other);
    return fmt::format("'{}' is {}, but not the same one each time", name, one);
  }
  const BufferRange& r = x.call.buffers[i];
  const BufferRange& s = y.call.buffers[i];
  if (!same_range(r, s)) {
    return message(fmt::format("bytes {} to {} of {}", r.offset, r.offset + r.bytes, describe(a, first)),
                   fmt::format("bytes {} to {}", s.offset, s.offset + s.bytes));
  }
  if (first == kNoValue) return {};
  const Value& v = a.values[static_cast<std::size_t>(first)];
  const Value& w = b.values[static_cast<std::size_t>(first)];
  if (same_value(v, w)) return {};
  if (v.content != w.content) {
    return fmt::format("'{}' holds numbers that the host has written, others each time", name);
  }
  if (v.role == w.role && v.bytes == w.bytes && v.kind == w.kind && v.made_here == w.made_here && v.input == w.input) {
    return fmt::format(
        "'{}' is {}, but in another buffer each time: what a step keeps must be allocated once, before it", name,
        describe(a, first));
  }
  const auto whole = [](const Plan& plan, int value) {
    const Value& named = plan.values[static_cast<std::size_t>(value)];
    const char* kept = named.made_here ? ", which is kept" : "";
    return fmt::format("{} ({} bytes{})", describe(plan, value), named.bytes, kept);
  };
  return message(whole(a, first), whole(b, first));
}

std::string types_text(const KernelCall& call) {
  std::string text;
  for (int i = 0; i < call.buffer_count; ++i) {
    const auto type = type_of(call, i);
    if (!type || (call.buffers[static_cast<std::size_t>(i)].bytes == 0)) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", name_of(*type));
  }
  return text;
}

// How two calls differ; empty where they do not.
std::string call_difference(const Plan& a, const Plan& b, std::size_t index) {
  const PlannedCall& x = a.calls[index];
  const PlannedCall& y = b.calls[index];
  const auto in_one = [&](const std::string& what) { return fmt::format("call {}, {}: {}", index, describe(x), what); };
  if (describe_shapes(x.call) != describe_shapes(y.call)) {
    return fmt::format("call {} is {} the first time and {} the second", index, describe(x), describe(y));
  }
  if (x.call.spec.types != y.call.spec.types) {
    return in_one(
        fmt::format("the types are {} the first time and {} the second", types_text(x.call), types_text(y.call)));
  }
  if (!(x.call.spec == y.call.spec)) return in_one("the kernel's flags differ");
  if (const std::string difference = first_parameter_difference(x.call, y.call); !difference.empty()) {
    return in_one(difference);
  }
  const auto count = static_cast<std::size_t>(std::max(x.call.buffer_count, y.call.buffer_count));
  for (std::size_t i = 0; i < count; ++i) {
    if (const std::string difference = value_difference(a, b, x, y, i); !difference.empty()) return in_one(difference);
  }
  return {};
}

bool same_call(const Plan& a, const Plan& b, const PlannedCall& x, const PlannedCall& y) {
  if (x.call.id != y.call.id || !(x.call.spec == y.call.spec) || x.call.buffer_count != y.call.buffer_count ||
      x.values != y.values || !std::ranges::equal(x.call.param_bytes(), y.call.param_bytes())) {
    return false;
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.call.buffer_count); ++i) {
    if (!same_range(x.call.buffers[i], y.call.buffers[i])) return false;
    const int value = x.values[i];
    if (value != kNoValue &&
        !same_value(a.values[static_cast<std::size_t>(value)], b.values[static_cast<std::size_t>(value)])) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool same(const Plan& a, const Plan& b) {
  return std::equal(a.calls.begin(), a.calls.end(), b.calls.begin(), b.calls.end(),
                    [&](const PlannedCall& x, const PlannedCall& y) { return same_call(a, b, x, y); }) &&
         std::equal(a.feeds.begin(), a.feeds.end(), b.feeds.begin(), b.feeds.end(),
                    [](const Feed& x, const Feed& y) { return x.name == y.name; });
}

std::string first_difference(const Plan& a, const Plan& b) {
  const std::size_t count = std::min(a.calls.size(), b.calls.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (std::string difference = call_difference(a, b, i); !difference.empty()) return difference;
  }
  if (a.calls.size() != b.calls.size()) {
    return fmt::format("there are {} calls the first time and {} the second; the first one more is {}", a.calls.size(),
                       b.calls.size(), describe((a.calls.size() > count ? a : b).calls[count]));
  }
  for (std::size_t i = 0; i < std::max(a.feeds.size(), b.feeds.size()); ++i) {
    const auto name = [i](const Plan& plan) { return i < plan.feeds.size() ? plan.feeds[i].name : "nothing"; };
    if (name(a) != name(b)) {
      return fmt::format("the host feeds {} the first time and {} the second, as number {}", name(a), name(b), i);
    }
  }
  return {};
}

}  // namespace amphora::plan
