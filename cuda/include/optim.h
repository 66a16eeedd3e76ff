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
  double decay1;
  double decay2;
  bool unscale;
};
__global__ void begin_step(BeginStepArguments arguments);

struct OptimizerArguments {
  Array gradient;
  Array master;
  Array working;    // may be absent
  Array states[3];  // may be absent where the rule's row says so
  const GroupState* group;
  OptimizerParams params;
};
// A kernel a row, of the row's name.
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) \
  __global__ void name(OptimizerArguments arguments);
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER

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
