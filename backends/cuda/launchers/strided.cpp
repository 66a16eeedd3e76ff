#include "backends/cuda/launchers/strided.h"

#include <algorithm>

namespace amphora::cuda {

Space space_of(std::uint32_t count, std::int32_t rank, const Extents& sizes, bool wide) {
  Space space{count, rank, {}, wide && (rank == 1 || sizes[rank - 1] % kPack == 0)};
  std::copy(sizes, sizes + rank, space.sizes);
  return space;
}

Strided strided_of(const KernelCall& call, std::size_t index, std::int32_t rank, const Extents& strides) {
  Strided operand{array_of(call, index), {}, strides[rank - 1]};
  std::copy(strides, strides + rank, operand.strides);
  operand.array.wide = operand.array.wide && operand.step == 1 &&
                       std::all_of(strides, strides + rank - 1, [](auto stride) { return stride % kPack == 0; });
  return operand;
}

}  // namespace amphora::cuda
