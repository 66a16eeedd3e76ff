#include "amphora/kernel/strided.h"

#include <algorithm>

namespace amphora {

std::uint32_t merge_axes(std::int32_t& rank, Extents& sizes, std::span<std::uint32_t* const> strides) {
  std::int32_t merged = 0;
  std::uint32_t count = 1;
  for (std::int32_t axis = 0; axis < rank; ++axis) {
    const std::uint32_t size = sizes[axis];
    count *= size;
    if (size == 1) continue;
    const bool joins = merged > 0 && std::all_of(strides.begin(), strides.end(), [&](const std::uint32_t* stride) {
                         return stride[merged - 1] == std::uint64_t{stride[axis]} * size;
                       });
    if (joins) {
      sizes[merged - 1] *= size;
    } else {
      sizes[merged++] = size;
    }
    for (std::uint32_t* stride : strides) stride[merged - 1] = stride[axis];
  }
  if (merged == 0) {
    sizes[merged++] = 1;
    for (std::uint32_t* stride : strides) stride[0] = 0;
  }
  rank = merged;
  return count;
}

}  // namespace amphora
