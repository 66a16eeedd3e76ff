// What a call does with its buffers, and what it costs: read from its parameters.
#pragma once

#include <cstdint>
#include <optional>

#include "amphora/kernel/call.h"

namespace amphora {

// How a call uses buffer `index`, more exactly than the kernel's row: a product with beta = 0 writes without reading.
// `write` means every byte of the range, whatever the device's state. All else that writes is an `update`, for what was
// there may stay: a strided copy, or an optimizer that skips its step.
enum class Use : std::uint8_t { absent, read, write, update };
Use use_of(const KernelCall& call, int index, bool present);
constexpr bool reads(Use use) { return use == Use::read || use == Use::update; }
constexpr bool writes(Use use) { return use == Use::write || use == Use::update; }

// The element type of buffer `index`; none where it holds device state, such as a parameter group's.
std::optional<DType> type_of(const KernelCall& call, int index);

// Whether an array with these strides over `sizes` lies in memory in the order of its elements, without gaps. An axis
// of one element may have any stride.
bool is_dense(int rank, const std::int32_t* sizes, const std::int32_t* strides);

// Arithmetic and memory traffic at least. A product counts two operations a multiply-add, other kernels one an element
// and array; bytes are those of all ranges, once for each direction.
struct Cost {
  double flops = 0.0;
  double bytes = 0.0;
};
Cost cost_of(const KernelCall& call);

}  // namespace amphora
