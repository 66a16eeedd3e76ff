// How blocks share the rows of softmax and loss.
#pragma once

#include <cstdint>

namespace amphora::cuda {

inline constexpr unsigned kRowThreads = 256;  // of a block
inline constexpr unsigned kWarpThreads = 32;

// A warp takes a row as long as that keeps each lane busy with a few packs, a block a longer one.
inline unsigned threads_of_row(std::uint32_t columns) { return columns <= 2048 ? kWarpThreads : kRowThreads; }

}  // namespace amphora::cuda
