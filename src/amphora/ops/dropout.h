// Dropout with masks from a counter: element i of a call depends on (seed, stream, i) alone, so that every backend
// drops the same elements, and backward draws the mask again instead of storing it.
#pragma once

#include "amphora/core/rng.h"
#include "amphora/kernel/call.h"
#include "amphora/tensor/tensor.h"

namespace amphora {

// Zeroes each element with probability `p` and scales the rest by 1 / (1 - p). `stream` must differ from call to call;
// nn::Dropout counts its own. `call` is absent, or a u32 on the device that is added to the stream's upper half: the
// number of the call, in a step that is recorded. Throws Error unless 0 <= p < 1.
Tensor dropout(const Tensor& x, float p, RandomStream stream, const BufferRange& call = {});

}  // namespace amphora
