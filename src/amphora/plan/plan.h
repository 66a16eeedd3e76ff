// Plan: one training step as a list of kernel calls on numbered values.
//
// The recorder makes it, passes rewrite it (plan/passes), plan_memory() places its values (plan/memory.h), and bind()
// turns it into calls that a device can run. Backends never see a plan, only the calls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "amphora/core/buffer.h"
#include "amphora/kernel/call.h"

namespace amphora::plan {

enum class Role : std::uint8_t {
  input,     // what changes from step to step: the batch
  feed,      // small numbers that the host computes before each step
  kept,      // outlives the step: parameters, optimizer state, results
  transient  // made and used within the step; lies in the arena
};
std::string_view name_of(Role role);

// A piece of memory that calls name.
struct Value {
  Role role = Role::transient;
  std::size_t bytes = 0;
  MemoryKind kind = MemoryKind::activations;
  BufferPtr buffer = nullptr;  // of a kept value
  int input = -1;              // which of the step's inputs
  bool made_here = false;      // kept, but allocated within the step: its results
  std::uint64_t content = 0;   // a hash of what the host has put there within the step; 0: nothing
};

inline constexpr int kNoValue = -1;

struct PlannedCall {
  KernelCall call;                        // its ranges name no buffers: offset and bytes lie in the value
  std::array<int, kMaxBuffers> values{};  // kNoValue where a buffer is absent
  std::string phase;                      // where the call came from, see core/place.h
  std::string op;
  std::string module;
};

// Bytes that the host writes anew before each step: a learning rate, the number of a dropout mask.
struct Feed {
  std::string name;        // "lr"
  std::size_t offset = 0;  // in the feed value
  std::size_t bytes = 0;
  std::function<void(std::span<std::byte>)> write;
};

struct Plan {
  std::vector<Value> values;
  std::vector<PlannedCall> calls;
  std::vector<Feed> feeds;
  std::size_t feed_bytes = 0;
};

// Equal plans have equal hashes, in every process: buffers count by their place in the list of values.
std::uint64_t hash(const Plan& plan);
// Whether first_difference() would find none, by comparing numbers alone.
bool same(const Plan& a, const Plan& b);
// Where two plans part: a sentence that names the first call that differs; empty where they are equal. What was
// allocated within the step may lie elsewhere; all other buffers must be the same.
std::string first_difference(const Plan& a, const Plan& b);

// Where transient values lie in the arena, see plan/memory.h.
struct MemoryPlan;

// Calls on real buffers. `arena` may be null where no value is transient, `feed` where there are no feeds; `inputs` are
// in the order of Value::input.
std::vector<KernelCall> bind(const Plan& plan, const MemoryPlan& memory, Buffer* arena, std::span<Buffer* const> inputs,
                             Buffer* feed);

}  // namespace amphora::plan
