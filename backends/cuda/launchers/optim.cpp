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
  const kernels::BeginStepArguments arguments{state_of<GroupState>(call, op::begin_step::group),
                                              state_of<GradientStats>(call, op::begin_step::stats),
                                              state_of<ScalerState>(call, op::begin_step::scaler),
                                              state_of<float>(call, op::begin_step::lr),
                                              joined(params.beta1, params.beta1_low),
                                              joined(params.beta2, params.beta2_low),
                                              params.unscale != 0};
  stream.launch("begin_step", kernels::begin_step, dim3(1), arguments, 1);
}

void sgd(const KernelCall& call, Stream& stream) {
  const auto params = call.params<SgdParams>();
  const kernels::SgdArguments arguments{array_of(call, op::sgd::gradient),          array_of(call, op::sgd::master),
                                        array_of(call, op::sgd::momentum),          array_of(call, op::sgd::working),
                                        state_of<GroupState>(call, op::sgd::group), params};
  require(params.momentum == 0.0f || arguments.momentum.data != nullptr || params.count == 0,
          "sgd on cuda: momentum {} needs a momentum buffer", params.momentum);
  stream.launch("sgd", kernels::sgd, dim3(blocks_of(stream, params.count)), arguments);
}

void adam(const KernelCall& call, Stream& stream) {
  const auto params = call.params<AdamParams>();
  const double beta1 = joined(params.beta1, params.beta1_low);
  const double beta2 = joined(params.beta2, params.beta2_low);
  const kernels::AdamArguments arguments{.gradient = array_of(call, op::adam::gradient),
                                         .master = array_of(call, op::adam::master),
                                         .working = array_of(call, op::adam::working),
                                         .m = array_of(call, op::adam::m),
                                         .v = array_of(call, op::adam::v, call.type_at(op::adam::m)),
                                         .group = state_of<GroupState>(call, op::adam::group),
                                         .params = params,
                                         .complement1 = static_cast<float>(1.0 - beta1),
                                         .complement2 = static_cast<float>(1.0 - beta2),
                                         .beta2 = static_cast<float>(beta2)};
  stream.launch("adam", kernels::adam, dim3(blocks_of(stream, params.count)), arguments);
}

void lerp(const KernelCall& call, Stream& stream) {
  const auto params = call.params<LerpParams>();
  const kernels::LerpArguments arguments{array_of(call, op::lerp::source), array_of(call, op::lerp::average), params};
  stream.launch("lerp", kernels::lerp, dim3(blocks_of(stream, params.count)), arguments);
}

void scaler_update(const KernelCall& call, Stream& stream) {
  const kernels::ScalerUpdateArguments arguments{state_of<ScalerState>(call, op::scaler_update::scaler),
                                                 call.params<ScalerUpdateParams>()};
  stream.launch("scaler_update", kernels::scaler_update, dim3(1), arguments, 1);
}

}  // namespace amphora::cuda::launchers
