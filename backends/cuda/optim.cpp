// optim: optimizer steps and the loss scale's state machine.
#include "cuda/include/optim.h"

#include "backends/cuda/kernels.h"
#include "core/error.h"
#include "kernel/two_floats.h"

namespace amphora::cuda::launchers {
namespace {

template <class T>
T* state_of(const KernelCall& call, std::size_t index) {
  return static_cast<T*>(address_of(call, index));
}

}  // namespace

void begin_step(const KernelCall& call, Stream& stream) {
  const auto p = call.params<BeginStepParams>();
  stream.launch("begin_step", kernels::begin_step, 1,
                kernels::BeginStepArguments{state_of<GroupState>(call, 0), state_of<GradientStats>(call, 1),
                                            state_of<ScalerState>(call, 2), joined(p.beta1, p.beta1_low),
                                            joined(p.beta2, p.beta2_low), p.unscale != 0},
                32);
}

void sgd(const KernelCall& call, Stream& stream) {
  const auto params = call.params<SgdParams>();
  require(params.momentum == 0.0f || call.buffers[2].buffer != nullptr,
          "sgd on cuda: momentum {} needs a momentum buffer", params.momentum);
  stream.launch("sgd", kernels::sgd, stream.blocks_for(params.count, 8),
                kernels::SgdArguments{array_of(call, 0), array_of(call, 1), array_of(call, 2), array_of(call, 3),
                                      state_of<GroupState>(call, 4), params});
}

void adam(const KernelCall& call, Stream& stream) {
  const auto params = call.params<AdamParams>();
  const double beta2 = joined(params.beta2, params.beta2_low);
  stream.launch("adam", kernels::adam, stream.blocks_for(params.count, 8),
                kernels::AdamArguments{array_of(call, 0), array_of(call, 1), array_of(call, 2), array_of(call, 3),
                                       array_of(call, 4, call.spec.types[3]), state_of<GroupState>(call, 5), params,
                                       static_cast<float>(beta2),
                                       static_cast<float>(1.0 - joined(params.beta1, params.beta1_low)),
                                       static_cast<float>(1.0 - beta2)});
}

void lerp(const KernelCall& call, Stream& stream) {
  const auto params = call.params<LerpParams>();
  stream.launch("lerp", kernels::lerp, stream.blocks_for(params.count, 8),
                kernels::LerpArguments{array_of(call, 0), array_of(call, 1), params});
}

void scaler_update(const KernelCall& call, Stream& stream) {
  stream.launch("scaler_update", kernels::scaler_update, 1,
                kernels::ScalerUpdateArguments{state_of<ScalerState>(call, 0), call.params<ScalerUpdateParams>()}, 32);
}

}  // namespace amphora::cuda::launchers
