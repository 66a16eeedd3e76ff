// Float controls that GLSL cannot express, added to a compiled module.
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

}  // namespace amphora::vulkan
