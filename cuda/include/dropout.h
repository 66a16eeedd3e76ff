// dropout: the mask is a function of the stream and the index, so backward draws it again.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "cuda/include/array.h"

namespace amphora::cuda::kernels {

struct DropoutArguments {
  Array x;
  Array y;
  const std::uint32_t* call;  // null: absent
  DropoutParams params;
};
__global__ void dropout(DropoutArguments arguments);

}  // namespace amphora::cuda::kernels
