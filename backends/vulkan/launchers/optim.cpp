// optim: optimizer steps and the loss scale's state machine.
#include <cmath>

#include "amphora/core/error.h"
#include "amphora/kernel/two_floats.h"
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {
namespace {

bool has(const KernelCall& call, std::size_t buffer) { return call.buffers[buffer].buffer != nullptr; }

// A beta in units of 2^-64, the high word first.
struct Fixed {
  explicit Fixed(double beta) {
    require(beta >= 0.0 && beta < 1.0, "begin_step on vulkan: a beta is {}; it must be in [0, 1)", beta);
    const auto units = static_cast<std::uint64_t>(std::ldexp(beta, 64));
    high = static_cast<std::uint32_t>(units >> 32);
    low = static_cast<std::uint32_t>(units);
  }
  std::uint32_t high;
  std::uint32_t low;
};

}  // namespace

void begin_step(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<BeginStepParams>();
  const Fixed beta1(joined(params.beta1, params.beta1_low));
  const Fixed beta2(joined(params.beta2, params.beta2_low));
  Push push;
  for (int buffer = 0; buffer < 4; ++buffer) push.add_buffer(call, buffer);
  encoder.dispatch("begin_step", call, push.add(params).add(beta1).add(beta2), {});
}

void sgd(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<SgdParams>();
  if (params.count == 0) return;
  require(params.momentum == 0.0f || has(call, op::sgd::momentum), "sgd on vulkan: momentum {} needs a momentum buffer",
          params.momentum);
  encoder.dispatch("sgd", call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::sgd::gradient, op::sgd::master, op::sgd::momentum, op::sgd::working}),
                    has(call, op::sgd::working) ? 1u : 0u});
}

void adam(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<AdamParams>();
  if (params.count == 0) return;
  const auto complement1 = static_cast<float>(1.0 - joined(params.beta1, params.beta1_low));
  const auto complement2 = static_cast<float>(1.0 - joined(params.beta2, params.beta2_low));
  // The processor's own division and square root are exact, and faster than integers.
  const std::uint32_t driver_is_exact = encoder.capabilities().is_cpu ? 1 : 0;
  encoder.dispatch("adam", call, Push(call).add(params).add(complement1).add(complement2), encoder.spread(params.count),
                   {by_fours(call, {op::adam::gradient, op::adam::master, op::adam::working, op::adam::m, op::adam::v}),
                    has(call, op::adam::working) ? 1u : 0u, driver_is_exact});
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
