// How the rows of softmax and loss are shared among the lanes of workgroups, see shaders/include/rows.glsl.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "backends/vulkan/command_encoder.h"

namespace amphora::vulkan {

struct RowTiling {
  // About eight columns a lane: then the work outweighs joining the lanes.
  RowTiling(const CommandEncoder& encoder, std::uint32_t rows, std::uint32_t columns)
      : lanes(std::min(std::bit_ceil((columns + 7) / 8), encoder.capabilities().workgroup_size)),
        groups(encoder.spread(std::uint64_t{rows} * lanes, 1)) {}

  std::uint32_t lanes;  // of a row
  Groups groups;
};

}  // namespace amphora::vulkan
