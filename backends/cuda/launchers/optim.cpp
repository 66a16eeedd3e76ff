// optim: optimizer steps and the loss scale's state machine.
#include "cuda/include/optim.h"

#include "amphora/core/error.h"
#include "amphora/kernel/two_floats.h"
#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {
namespace {

template <class State>
State* state_of(const KernelCall& call, std::size_t index) {
  return static_cast<State*>(address_of(call, index));
}

unsigned blocks_of(const Stream& stream, std::uint32_t count) { return stream.blocks_for(count, 8); }

}  // namespace

void begin_step(const KernelCall& call, Stream& stream) {
  const auto params = call.params<BeginStepParams>();
  const kernels::BeginStepArguments arguments{state_of<GroupState>(call, 0),
                                              state_of<GradientStats>(call, 1),
                                              state_of<ScalerState>(call, 2),
                                              state_of<float>(call, 3),
                                              joined(params.beta1, params.beta1_low),
                                              joined(params.beta2, params.beta2_low),
                                              params.unscale != 0};
  stream.launch("begin_step", kernels::begin_step, dim3(1), arguments, 1);
}

void sgd(const KernelCall& call, Stream& stream) {
  const auto params = call.params<SgdParams>();
  const kernels::SgdArguments arguments{array_of(call, 0),
                                        array_of(call, 1),
                                        array_of(call, 2),
                                        array_of(call, 3),
                                        state_of<GroupState>(call, 4),
                                        params};
  require(params.momentum == 0.0f || arguments.momentum.data != nullptr || params.count == 0,
          "sgd on cuda: momentum {} needs a momentum buffer", params.momentum);
  stream.launch("sgd", kernels::sgd, dim3(blocks_of(stream, params.count)), arguments);
}

void adam(const KernelCall& call, Stream& stream) {
  const auto params = call.params<AdamParams>();
  const double beta1 = joined(params.beta1, params.beta1_low);
  const double beta2 = joined(params.beta2, params.beta2_low);
  const kernels::AdamArguments arguments{.gradient = array_of(call, 0),
                                         .master = array_of(call, 1),
                                         .working = array_of(call, 2),
                                         .m = array_of(call, 3),
                                         .v = array_of(call, 4, call.spec.types[3]),
                                         .group = state_of<GroupState>(call, 5),
                                         .params = params,
                                         .complement1 = static_cast<float>(1.0 - beta1),
                                         .complement2 = static_cast<float>(1.0 - beta2),
                                         .beta2 = static_cast<float>(beta2)};
  stream.launch("adam", kernels::adam, dim3(blocks_of(stream, params.count)), arguments);
}

void lerp(const KernelCall& call, Stream& stream) {
  const auto params = call.params<LerpParams>();
  const kernels::LerpArguments arguments{array_of(call, 0), array_of(call, 1), params};
  stream.launch("lerp", kernels::lerp, dim3(blocks_of(stream, params.count)), arguments);
}

void scaler_update(const KernelCall& call, Stream& stream) {
  const kernels::ScalerUpdateArguments arguments{state_of<ScalerState>(call, 0), call.params<ScalerUpdateParams>()};
  stream.launch("scaler_update", kernels::scaler_update, dim3(1), arguments, 1);
}

}  // namespace amphora::cuda::launchers
