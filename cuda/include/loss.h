// loss: cross-entropy on logits, a row a sample.
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/call.h"

namespace amphora::cuda::kernels {

struct CrossEntropyArguments {
  Array logits;
  const std::int32_t* targets;
  Array loss;
  Array log_sum_exp;
  CrossEntropyParams params;
  unsigned threads;  // of a row
};
__global__ void cross_entropy(CrossEntropyArguments arguments);

struct CrossEntropyGradArguments {
  Array logits;
  const std::int32_t* targets;
  Array log_sum_exp;
  Array dloss;
  Array dlogits;  // may be the logits
  CrossEntropyParams params;
  unsigned threads;
};
__global__ void cross_entropy_grad(CrossEntropyGradArguments arguments);

}  // namespace amphora::cuda::kernels
