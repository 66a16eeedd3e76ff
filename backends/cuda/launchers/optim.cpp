// optim: optimizer steps and the loss scale's state machine.
#include "cuda/include/optim.h"

#include "amphora/kernel/double_as_floats.h"
#include "amphora/kernel/optimizers.h"
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
                                              joined(params.decay1, params.decay1_low),
                                              joined(params.decay2, params.decay2_low),
                                              params.unscale != 0};
  stream.launch("begin_step", kernels::begin_step, dim3(1), arguments, 1);
}

void optimizer_step(const KernelCall& call, Stream& stream) {
  validate(call);  // a compiled list comes unchecked, and a state that is missing would be taken for zeros
  constexpr void (*kRules[])(kernels::OptimizerArguments) = {
#define AM_OPTIMIZER(name, access, first, second, third, constants, prepared, update) kernels::name,
#include "amphora/kernel/shared/optim.def"
#undef AM_OPTIMIZER
  };
  const DType state_type = call.spec.types[3];
  const kernels::OptimizerArguments arguments{
      .gradient = array_of(call, 0),
      .master = array_of(call, 1),
      .working = array_of(call, 2),
      .states = {array_of(call, 3), array_of(call, 4, state_type), array_of(call, 5, state_type)},
      .group = state_of<GroupState>(call, 6),
      .params = call.params<OptimizerParams>()};
  // A literal of the table: the stream keeps the name.
  stream.launch(kOptimizers[call.spec.function].name, kRules[call.spec.function],
                dim3(blocks_of(stream, arguments.params.count)), arguments);
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
