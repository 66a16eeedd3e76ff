// Index spaces of strided kernels: axes merged where that changes nothing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace amphora {

using Extents = std::uint32_t[5];  // sizes or strides as parameter structures hold them

// Drops axes of one element and merges neighbours that every operand walks in one stride; at least one axis is left.
// Returns the number of elements, which must fit 32 bits.
std::uint32_t merge_axes(std::int32_t& rank, Extents& sizes, std::span<std::uint32_t* const> strides);

inline std::uint32_t merge_axes(std::int32_t& rank, Extents& sizes, std::initializer_list<std::uint32_t*> strides) {
  return merge_axes(rank, sizes, std::span(strides.begin(), strides.size()));
}

}  // namespace amphora
