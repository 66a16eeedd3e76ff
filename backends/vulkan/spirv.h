// What is changed in a compiled module before a driver sees it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backends/vulkan/capabilities.h"

namespace amphora::vulkan {

// The module with the execution modes that the device offers (SPIR-V 1.4 and newer have them in the core): rounding to
// nearest even for 16-bit results, subnormals kept, and NaN, infinities and signed zeros respected. Modes for 16 bits
// go to modules that declare Float16 alone.
std::vector<std::uint32_t> with_float_controls(std::span<const std::uint32_t> module, const FloatControls& controls);

// The module without the branches that these values of the specialization constants 0, 1, 2, ... never take; what they
// do not decide stays as it is. A driver would find the same, but some inline every function of a module first: a
// kernel of one row of a table costs them as much as the whole table.
std::vector<std::uint32_t> without_dead_branches(std::span<const std::uint32_t> module,
                                                 std::span<const std::uint32_t> constants);

}  // namespace amphora::vulkan
