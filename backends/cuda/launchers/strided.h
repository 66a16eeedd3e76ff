// Index spaces as the kernels of cuda/include/strided.cuh walk them.
#pragma once

#include <cstdint>

#include "amphora/kernel/call.h"
#include "amphora/kernel/strided.h"
#include "backends/cuda/stream.h"
#include "cuda/include/strided.h"

namespace amphora::cuda {

// A space with merged axes. `wide`: its result, where the last axis has neighbours, takes a pack of every row at once.
Space space_of(std::uint32_t count, std::int32_t rank, const Extents& sizes, bool wide);

// Buffer `index` of a call over a space of `rank` axes; it is wide where a pack of every row is aligned.
Strided strided_of(const KernelCall& call, std::size_t index, std::int32_t rank, const Extents& strides);

}  // namespace amphora::cuda
