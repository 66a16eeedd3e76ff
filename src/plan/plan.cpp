#include "plan/plan.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "core/error.h"
#include "plan/dump.h"
#include "plan/memory.h"

namespace amphora::plan {
namespace {

// FNV-1a.
class Hash {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) state_ = (state_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  }
  template <class T>
  void add(T value) {
    add(std::as_bytes(std::span(&value, 1)));
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

bool same_parameters(const KernelCall& a, const KernelCall& b) {
  return std::ranges::equal(a.param_bytes(), b.param_bytes());
}

bool same_value(const Value& a, const Value& b) {
  return a.role == b.role && a.bytes == b.bytes && a.kind == b.kind && a.input == b.input &&
         a.made_here == b.made_here && (a.made_here || a.buffer == b.buffer);
}

bool same_call(const PlannedCall& a, const PlannedCall& b) {
  if (a.call.id != b.call.id || !(a.call.spec == b.call.spec) || a.call.buffer_count != b.call.buffer_count)
    return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.call.buffer_count); ++i) {
    if (a.values[i] != b.values[i] || a.call.buffers[i].offset != b.call.buffers[i].offset ||
        a.call.buffers[i].bytes != b.call.buffers[i].bytes) {
      return false;
    }
  }
  return same_parameters(a.call, b.call);
}

std::string describe(const PlannedCall& call) {
  std::string text = fmt::format("{} ({}", describe_shapes(call.call), call.op.empty() ? "no op" : call.op);
  if (!call.module.empty()) text += " of " + call.module;
  return text + ")";
}

}  // namespace

std::string_view name_of(Role role) {
  constexpr std::string_view kNames[] = {"input", "feed", "kept", "transient"};
  return kNames[static_cast<int>(role)];
}

std::uint64_t hash(const Plan& plan) {
  Hash hash;
  for (const Value& value : plan.values) {
    hash.add(value.role);
    hash.add(value.bytes);
    hash.add(value.input);
  }
  for (const auto& [call, values, phase, op, module] : plan.calls) {
    hash.add(call.id);
    for (const DType type : call.spec.types) hash.add(type);
    hash.add(call.spec.function);
    hash.add(call.spec.flags);
    hash.add(call.param_bytes());
    for (std::size_t i = 0; i < static_cast<std::size_t>(call.buffer_count); ++i) {
      hash.add(values[i]);
      hash.add(call.buffers[i].offset);
      hash.add(call.buffers[i].bytes);
    }
  }
  return hash.value();
}

std::string first_difference(const Plan& a, const Plan& b) {
  const std::size_t count = std::min(a.calls.size(), b.calls.size());
  for (std::size_t i = 0; i < count; ++i) {
    const PlannedCall& x = a.calls[i];
    const PlannedCall& y = b.calls[i];
    if (!same_call(x, y)) {
      const bool alike = describe(x) == describe(y);
      return fmt::format("call {} is {} the first time and {} the second", i, describe(x),
                         alike ? "the same on other numbers or memory" : describe(y));
    }
    for (std::size_t k = 0; k < static_cast<std::size_t>(x.call.buffer_count); ++k) {
      if (x.values[k] == kNoValue) continue;
      const auto value = static_cast<std::size_t>(x.values[k]);
      if (!same_value(a.values[value], b.values[value])) {
        return fmt::format("call {}, {}, has another buffer '{}' the second time", i, describe(x),
                           buffer_name(x.call.id, k));
      }
    }
  }
  if (a.calls.size() != b.calls.size()) {
    return fmt::format("the first time there are {} calls, the second {}; the first one more is {}", a.calls.size(),
                       b.calls.size(), describe((a.calls.size() > count ? a : b).calls[count]));
  }
  return {};
}

std::vector<KernelCall> bind(const Plan& plan, const MemoryPlan& memory, Buffer* arena, std::span<Buffer* const> inputs,
                             Buffer* feed) {
  std::vector<KernelCall> calls;
  calls.reserve(plan.calls.size());
  for (const PlannedCall& planned : plan.calls) {
    KernelCall& call = calls.emplace_back(planned.call);
    for (std::size_t i = 0; i < static_cast<std::size_t>(call.buffer_count); ++i) {
      if (planned.values[i] == kNoValue) continue;
      const auto index = static_cast<std::size_t>(planned.values[i]);
      const Value& value = plan.values[index];
      BufferRange& range = call.buffers[i];
      switch (value.role) {
        case Role::input: range.buffer = inputs[static_cast<std::size_t>(value.input)]; break;
        case Role::feed: range.buffer = feed; break;
        case Role::kept: range.buffer = value.buffer.get(); break;
        case Role::transient:
          range.buffer = arena;
          range.offset += memory.offsets[index];
          break;
      }
      require(range.buffer != nullptr, "a plan's {} value has no memory", name_of(value.role));
    }
  }
  return calls;
}

}  // namespace amphora::plan
