// optim: optimizer steps and the loss scale's state machine.
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/call.h"

namespace amphora::cuda::kernels {

struct BeginStepArguments {
  GroupState* group;
  const GradientStats* stats;  // may be null
  const ScalerState* scaler;   // may be null
  double beta1;
  double beta2;
  bool unscale;
};
__global__ void begin_step(BeginStepArguments arguments);

struct SgdArguments {
  Array gradient;
  Array master;
  Array momentum;  // may be absent
  Array working;   // may be absent
  const GroupState* group;
  SgdParams params;
};
__global__ void sgd(SgdArguments arguments);

struct AdamArguments {
  Array gradient;
  Array master;
  Array working;  // may be absent
  Array m;
  Array v;
  const GroupState* group;
  AdamParams params;
  float beta2;
  float complement1;  // 1 - beta, rounded once
  float complement2;
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
