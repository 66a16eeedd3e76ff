#include "amphora/plan/plan.h"

#include "amphora/core/error.h"
#include "amphora/plan/memory.h"

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
    hash.add(value.kind);
    hash.add(value.input);
    hash.add(value.made_here);
  }
  for (const auto& [call, values, phase, op, module] : plan.calls) {
    hash.add(call.id);
    for (const DType type : call.spec.types) hash.add(type);
    hash.add(call.spec.function);
    hash.add(call.spec.flags);
    hash.add(call.param_bytes());
    hash.add(call.buffer_count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(call.buffer_count); ++i) {
      hash.add(values[i]);
      hash.add(call.buffers[i].offset);
      hash.add(call.buffers[i].bytes);
    }
  }
  for (const Feed& feed : plan.feeds) {
    hash.add(std::as_bytes(std::span(feed.name)));
    hash.add(feed.offset);
    hash.add(feed.bytes);
  }
  return hash.value();
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
