// Kernels over flat ranges of the gradient arena.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/shared/params.h"
#include "cuda/include/array.h"

namespace amphora::cuda::kernels {

// Of inspect and unscale.
struct ScaledArguments {
  Array gradient;
  ScalerState* scaler;
  GradientStats* stats;
  CountParams params;
};
__global__ void inspect(ScaledArguments arguments);
__global__ void unscale(ScaledArguments arguments);

struct ClipNormArguments {
  Array gradient;
  const float* total;
  ClipParams params;
};
__global__ void clip_norm(ClipNormArguments arguments);

struct ClipValueArguments {
  Array gradient;
  ClipParams params;
};
__global__ void clip_value(ClipValueArguments arguments);

// What a norm gathers, by its order.
enum class Gather { squares, magnitudes, powers, nonzero, largest, smallest };

// A block gathers one part; gradient_norm_finish joins them.
struct GradientNormArguments {
  Array gradient;
  double* parts;
  GradientNormParams params;
  Gather gather;
};
__global__ void gradient_norm(GradientNormArguments arguments);  // of all but powers
__global__ void gradient_norm_powers(GradientNormArguments arguments);

struct NormFinishArguments {
  const double* parts;
  std::uint32_t count;  // of parts
  float* total;
  float p;
  Gather gather;
};
__global__ void gradient_norm_finish(NormFinishArguments arguments);

}  // namespace amphora::cuda::kernels
