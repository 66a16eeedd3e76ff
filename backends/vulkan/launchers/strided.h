// How shaders may walk the arrays of a call: four elements at a time or one.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "amphora/kernel/call.h"
#include "amphora/kernel/strided.h"

namespace amphora::vulkan {

// 1 where each of these contiguous buffers (those present) begins at a multiple of four elements, else 0.
std::uint32_t by_fours(const KernelCall& call, std::initializer_list<int> buffers);

// A buffer of a call that is walked with strides; the last axis must be its fastest for four elements to be neighbours.
struct Operand {
  int buffer;
  const std::uint32_t* strides;
};

// The layout constant of shaders/include/strided.glsl: bit 0 where four elements of the last axis can move at once,
// bit 1 + k where operand k repeats one element along it. Contiguous results are operands without strides.
std::uint32_t layout_of(const KernelCall& call, std::int32_t rank, const Extents& sizes,
                        std::initializer_list<Operand> operands);

}  // namespace amphora::vulkan
