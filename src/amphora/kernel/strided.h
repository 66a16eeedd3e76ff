// Index spaces of strided kernels, for every backend: axes merged where that changes nothing.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace amphora {

using Extents = std::int32_t[5];  // sizes or strides as parameter structures hold them

// Drops axes of one element and merges neighbours that every operand walks in one stride, unless their elements are too
// many for a size; at least one axis is left. Returns the number of elements.
std::uint32_t merge_axes(std::int32_t& rank, Extents& sizes, std::initializer_list<std::int32_t*> strides);

}  // namespace amphora
