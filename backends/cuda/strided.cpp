#include "backends/cuda/strided.h"

#include <algorithm>

namespace amphora::cuda {
namespace {

constexpr std::uint32_t kPack = 8;

}  // namespace

Space space_of(std::int32_t rank, const Extents& sizes) {
  Space space;
  space.rank = rank;
  std::copy(sizes, sizes + rank, space.sizes);
  space.row_length = static_cast<std::uint32_t>(sizes[rank - 1]);
  space.row_packs = (space.row_length + kPack - 1) / kPack;
  space.packs = space.row_packs;
  for (std::int32_t axis = 0; axis + 1 < rank; ++axis) space.packs *= static_cast<std::uint32_t>(sizes[axis]);
  return space;
}

Strided strided_of(const KernelCall& call, std::size_t index, const Space& space, const Extents& strides) {
  Strided operand{array_of(call, index), {}, strides[space.rank - 1]};
  std::copy(strides, strides + space.rank, operand.strides);
  operand.array.wide = operand.array.wide && operand.step == 1 &&
                       std::all_of(strides, strides + space.rank - 1, [](auto stride) { return stride % 8 == 0; });
  return operand;
}

Array dense_of(const KernelCall& call, std::size_t index, const Space& space) {
  Array array = array_of(call, index);
  array.wide = array.wide && (space.rank == 1 || space.row_length % kPack == 0);
  return array;
}

}  // namespace amphora::cuda
