// optim: optimizer steps and the loss scale's state machine.
#include "cuda/include/optim.h"

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
                                              joined(params.decay1, params.decay1_low),
                                              joined(params.decay2, params.decay2_low),
                                              params.unscale != 0};
  stream.launch("begin_step", kernels::begin_step, dim3(1), arguments, 1);
}

void optimizer_step(const KernelCall& call, Stream& stream) {
  using namespace op::optimizer_step;
  constexpr void (*kRules[])(kernels::OptimizerArguments) = {
#define AM_OPTIMIZER(name, presence, first, second, third, constants, prepared, update) kernels::name,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
  };
  const DType state_type = call.type_at(first);
  const kernels::OptimizerArguments arguments{
      .gradient = array_of(call, gradient),
      .master = array_of(call, master),
      .working = array_of(call, working),
      .states = {array_of(call, first), array_of(call, second, state_type), array_of(call, third, state_type)},
      .group = state_of<GroupState>(call, group),
      .params = call.params<OptimizerParams>()};
  // A literal of the table: the stream keeps the name.
  stream.launch(kOptimizerNames[call.spec.function], kRules[call.spec.function],
                dim3(blocks_of(stream, arguments.params.count)), arguments);
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
