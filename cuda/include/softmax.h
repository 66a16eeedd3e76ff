// softmax: along rows, shifted by the row's maximum so that exp cannot overflow.
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/call.h"

namespace amphora::cuda::kernels {

struct SoftmaxArguments {
  Array x;
  Array y;
  RowsParams params;
  unsigned threads;  // of a row
  bool logarithm;
};
__global__ void softmax(SoftmaxArguments arguments);

struct SoftmaxGradArguments {
  Array y;
  Array dy;
  Array dx;
  RowsParams params;
  unsigned threads;
  bool logarithm;
};
__global__ void softmax_grad(SoftmaxGradArguments arguments);

}  // namespace amphora::cuda::kernels
