// Launches over rows, see cuda/include/rows.h.
#pragma once

#include "backends/cuda/stream.h"
#include "cuda/include/rows.h"

namespace amphora::cuda {

// An array of rows; it is wide where every row is.
inline Array rows_of(const KernelCall& call, std::size_t index, std::uint32_t columns, DType type) {
  Array array = array_of(call, index, type);
  array.wide = array.wide && columns % 8 == 0;
  return array;
}
inline Array rows_of(const KernelCall& call, std::size_t index, std::uint32_t columns) {
  return rows_of(call, index, columns, call.spec.types[index]);
}

inline unsigned blocks_for_rows(const Stream& stream, std::uint32_t rows, unsigned threads) {
  return stream.blocks_for(std::uint64_t{rows} * threads);
}

}  // namespace amphora::cuda
