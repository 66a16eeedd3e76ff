// What a call does with its buffers, and what it costs: read from its parameters.
#pragma once

#include <cstdint>

#include "kernel/call.h"

namespace amphora::plan {

// How a call uses buffer `index`, more exactly than the kernel's row: a product with beta = 0 writes without reading.
// `write` means every element of the range.
enum class Use : std::uint8_t { absent, read, write, update };
Use use_of(const KernelCall& call, int index, bool present);
constexpr bool reads(Use use) { return use == Use::read || use == Use::update; }
constexpr bool writes(Use use) { return use == Use::write || use == Use::update; }

// Arithmetic and memory traffic at least. A product counts two operations a multiply-add, other kernels one an element
// and array; bytes are those of all ranges, once for each direction.
struct Cost {
  double flops = 0.0;
  double bytes = 0.0;
};
Cost cost_of(const KernelCall& call);

}  // namespace amphora::plan
