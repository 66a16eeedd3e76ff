// pointwise: the functions of kernel/shared/pointwise.def.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/call.h"
#include "cuda/include/strided.h"

namespace amphora::cuda::kernels {

struct UnaryArguments {
  Array x;
  Array y;
  UnaryParams params;
  UnaryFunction function;
};
__global__ void unary(UnaryArguments arguments);

struct UnaryGradArguments {
  Array x;
  Array y;
  Array dy;
  Array dx;
  UnaryParams params;
  UnaryFunction function;
};
__global__ void unary_grad(UnaryGradArguments arguments);

struct BinaryArguments {
  Space space;
  Strided a;
  Strided b;
  Array y;
  BinaryFunction function;
};
__global__ void binary_packs(BinaryArguments arguments);
__global__ void binary_elements(BinaryArguments arguments);

struct BinaryGradArguments {
  Space space;
  Strided a;
  Strided b;
  Strided dy;
  Array dx;
  BinaryFunction function;
  bool second;  // the derivative of b
};
__global__ void binary_grad_packs(BinaryGradArguments arguments);
__global__ void binary_grad_elements(BinaryGradArguments arguments);

}  // namespace amphora::cuda::kernels
