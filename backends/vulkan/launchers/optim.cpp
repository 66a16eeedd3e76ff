// optim: optimizer steps and the loss scale's state machine.
#include <cmath>

#include "amphora/core/error.h"
#include "amphora/kernel/two_floats.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {
namespace {

bool has(const KernelCall& call, std::size_t buffer) { return call.buffers[buffer].buffer != nullptr; }

// A decay in units of 2^-64, the high word first.
struct Fixed {
  explicit Fixed(double decay) {
    require(decay >= 0.0 && decay < 1.0, "begin_step on vulkan: a decay is {}; it must be in [0, 1)", decay);
    const auto units = static_cast<std::uint64_t>(std::ldexp(decay, 64));
    high = static_cast<std::uint32_t>(units >> 32);
    low = static_cast<std::uint32_t>(units);
  }
  std::uint32_t high;
  std::uint32_t low;
};

}  // namespace

void begin_step(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<BeginStepParams>();
  const Fixed decay1(joined(params.decay1, params.decay1_low));
  const Fixed decay2(joined(params.decay2, params.decay2_low));
  Push push;
  for (int buffer = 0; buffer < 4; ++buffer) push.add_buffer(call, buffer);
  encoder.dispatch("begin_step", call, push.add(params).add(decay1).add(decay2), {});
}

void optimizer_step(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<OptimizerParams>();
  if (params.count == 0) return;
  using namespace op::optimizer_step;
  std::uint32_t present = 0;
  for (const int operand : {working, first, second, third})
    present |= has(call, operand) ? 1u << (operand - working) : 0u;
  // The processor's own division and square root are exact, and faster than integers.
  const std::uint32_t driver_is_exact = encoder.capabilities().is_cpu ? 1 : 0;
  encoder.dispatch("optimizer_step", call, Push(call).add(params.count).add(params.constants),
                   encoder.spread(params.count),
                   {by_fours(call, {gradient, master, working, first, second, third}), present, driver_is_exact});
}

void lerp(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<LerpParams>();
  if (params.count == 0) return;
  encoder.dispatch("lerp", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::lerp::source, op::lerp::average})});
}

void scaler_update(const KernelCall& call, CommandEncoder& encoder) {
  encoder.dispatch("scaler_update", call, Push(call).add(call.params<ScalerUpdateParams>()), {});
}

}  // namespace amphora::vulkan::launchers
