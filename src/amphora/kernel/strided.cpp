#include "amphora/kernel/strided.h"

#include <algorithm>
#include <limits>

namespace amphora {

std::uint32_t merge_axes(std::int32_t& rank, Extents& sizes, std::initializer_list<std::int32_t*> strides) {
  std::int32_t merged = 0;
  std::uint32_t count = 1;
  for (std::int32_t axis = 0; axis < rank; ++axis) {
    const std::int32_t size = sizes[axis];
    count *= static_cast<std::uint32_t>(size);
    if (size == 1) continue;
    const bool fits = merged > 0 && std::int64_t{sizes[merged - 1]} * size <= std::numeric_limits<std::int32_t>::max();
    const bool joins = fits && std::all_of(strides.begin(), strides.end(), [&](const std::int32_t* stride) {
                         return stride[merged - 1] == std::int64_t{stride[axis]} * size;
                       });
    if (joins) {
      sizes[merged - 1] *= size;
    } else {
      sizes[merged++] = size;
    }
    for (std::int32_t* stride : strides) stride[merged - 1] = stride[axis];
  }
  if (merged == 0) {
    sizes[merged++] = 1;
    for (std::int32_t* stride : strides) stride[0] = 0;
  }
  rank = merged;
  return count;
}

}  // namespace amphora
