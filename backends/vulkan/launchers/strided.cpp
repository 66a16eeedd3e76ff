#include "backends/vulkan/launchers/strided.h"

#include <algorithm>
#include <cstddef>

namespace amphora::vulkan {
namespace {

bool is_aligned(const KernelCall& call, int buffer) {
  return call.at(buffer).offset % (4 * size_of(call.type_at(buffer))) == 0;
}

bool takes_fours(const KernelCall& call, std::int32_t rank, const Operand& operand) {
  if (operand.strides == nullptr) return is_aligned(call, operand.buffer);
  const std::uint32_t last = operand.strides[rank - 1];
  if (last == 0) return true;
  const bool rows_aligned =
      std::all_of(operand.strides, operand.strides + rank - 1, [](std::uint32_t stride) { return stride % 4 == 0; });
  return last == 1 && rows_aligned && is_aligned(call, operand.buffer);
}

}  // namespace

std::uint32_t by_fours(const KernelCall& call, std::initializer_list<int> buffers) {
  return std::all_of(buffers.begin(), buffers.end(), [&](int buffer) { return is_aligned(call, buffer); }) ? 1 : 0;
}

std::uint32_t layout_of(const KernelCall& call, std::int32_t rank, const Extents& sizes,
                        std::initializer_list<Operand> operands) {
  // Rows of four must not run into the next; the end of a single axis is taken element by element.
  bool fours = rank == 1 || sizes[rank - 1] % 4 == 0;
  std::uint32_t layout = 0;
  std::uint32_t bit = 2;
  for (const Operand& operand : operands) {
    fours = fours && takes_fours(call, rank, operand);
    if (operand.strides != nullptr && operand.strides[rank - 1] == 0) layout |= bit;
    bit <<= 1;
  }
  return layout | (fours ? 1u : 0u);
}

}  // namespace amphora::vulkan
