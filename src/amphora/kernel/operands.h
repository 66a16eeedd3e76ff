// What a call does with its buffers, read from the kernel's row and the call's parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "amphora/kernel/call.h"
#include "amphora/kernel/layout.h"

namespace amphora {

// As kernels.def explains.
enum class Access : std::uint8_t { read, read_in_place, write, write_or_keep, update, unused };

struct OperandUse {
  Access access = Access::read;
  bool needed = true;  // false: may be absent
  Layout layout;       // of its elements
};
OperandUse operand_use(const KernelCall& call, int index);

// Whether a call may write its buffer `index`.
bool is_written(const KernelCall& call, int index);

// The element type of buffer `index`; none where it holds device state, such as a parameter group's.
std::optional<DType> type_of(const KernelCall& call, int index);
std::optional<DType> type_of(KernelId kernel, const Spec& spec, int index);

// How a call uses a range. `write` means every byte of it, whatever the device's state. All else that writes is an
// `update`, for what was there may stay: a strided copy, or an optimizer that skips its step.
enum class Use : std::uint8_t { absent, read, write, update };
Use use_of(const KernelCall& call, int index, bool present);
constexpr bool reads(Use use) { return use == Use::read || use == Use::update; }
constexpr bool writes(Use use) { return use == Use::write || use == Use::update; }

// Whether the call has nothing to do: all its arrays are empty, and it updates no state.
bool is_empty(const KernelCall& call);

// Arithmetic and memory traffic at least. A product counts two operations a multiply-add, other kernels one an element
// and array; bytes are those of all ranges, once for each direction.
struct Cost {
  double flops = 0.0;
  double bytes = 0.0;
};
Cost cost_of(const KernelCall& call);

// The buffer that a call's result goes to; -1 where it may take no operand's place. tests/conformance/in_place.cpp
// holds every backend to what the rows say of it.
int result_in_place(const KernelCall& call);
// Whether that result may lie exactly where operand `index` does: its elements have the result's size and order. Memory
// that the call reads a second time, as another operand, may only be overwritten if this holds for both.
bool may_overwrite(const KernelCall& call, int index);

}  // namespace amphora
