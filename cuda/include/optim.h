// Kernels of optimizer steps and of the loss scale.
#pragma once

#include <cuda_runtime.h>

#include "amphora/kernel/shared/params.h"
#include "cuda/include/array.h"

namespace amphora::cuda::kernels {

struct BeginStepArguments {
  GroupState* group;
  const GradientStats* stats;  // may be absent
  const ScalerState* scaler;   // may be absent
  const float* lr;             // may be absent
  double beta1;
  double beta2;
  bool unscale;
};
__global__ void begin_step(BeginStepArguments arguments);

struct SgdArguments {
  Array gradient;
  Array master;
  Array momentum;
  Array working;
  const GroupState* group;
  SgdParams params;
};
__global__ void sgd(SgdArguments arguments);

struct AdamArguments {
  Array gradient;
  Array master;
  Array working;
  Array m;
  Array v;
  const GroupState* group;
  AdamParams params;
  float complement1;  // 1 - beta1, rounded once
  float complement2;
  float beta2;
};
__global__ void adam(AdamArguments arguments);

struct LerpArguments {
  Array source;
  Array average;
  LerpParams params;
};
__global__ void lerp(LerpArguments arguments);

struct ScalerUpdateArguments {
  ScalerState* scaler;
  ScalerUpdateParams params;
};
__global__ void scaler_update(ScalerUpdateArguments arguments);

}  // namespace amphora::cuda::kernels
