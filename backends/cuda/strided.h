// Index spaces as the kernels of cuda/include/strided.cuh walk them.
#pragma once

#include <cstdint>

#include "backends/cuda/stream.h"
#include "backends/strided.h"
#include "cuda/include/strided.h"
#include "kernel/call.h"

namespace amphora::cuda {

// A space with merged axes.
Space space_of(std::int32_t rank, const Extents& sizes);

// Buffer `index` of a call over a space; it is wide where a pack of every row is aligned.
Strided strided_of(const KernelCall& call, std::size_t index, const Space& space, const Extents& strides);
// A contiguous buffer over a space.
Array dense_of(const KernelCall& call, std::size_t index, const Space& space);

}  // namespace amphora::cuda
