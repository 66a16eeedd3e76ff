// Kernels of softmax.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/shared/params.h"
#include "cuda/include/array.h"
#include "cuda/include/rows.h"

namespace amphora::cuda::kernels {

struct SoftmaxArguments {
  Array x;
  Array y;
  RowsParams params;
  RowTiling tiling;
  bool logarithm;
};
__global__ void softmax(SoftmaxArguments arguments);

struct SoftmaxGradArguments {
  Array y;
  Array dy;
  Array dx;
  RowsParams params;
  RowTiling tiling;
  bool logarithm;
};
__global__ void softmax_grad(SoftmaxGradArguments arguments);

}  // namespace amphora::cuda::kernels
