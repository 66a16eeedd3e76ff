// Kernels of the cross-entropy on logits.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/shared/params.h"
#include "cuda/include/array.h"
#include "cuda/include/rows.h"

namespace amphora::cuda::kernels {

struct CrossEntropyArguments {
  Array logits;
  const std::int32_t* targets;
  Array loss;
  Array log_sum_exp;
  CrossEntropyParams params;
  RowTiling tiling;
};
__global__ void cross_entropy(CrossEntropyArguments arguments);

struct CrossEntropyGradArguments {
  Array logits;
  const std::int32_t* targets;
  Array log_sum_exp;
  Array dloss;
  Array dlogits;
  CrossEntropyParams params;
};
__global__ void cross_entropy_grad(CrossEntropyGradArguments arguments);

}  // namespace amphora::cuda::kernels
