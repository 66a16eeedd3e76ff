// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#include <algorithm>
#include <cmath>

#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {
namespace {

// What a norm of order p gathers, as in shaders/include/gradient_norm.glsl.
enum class Gather : std::uint32_t { squares, magnitudes, powers, nonzero, largest, smallest };

Gather gather_of(float p) {
  if (std::isinf(p)) return p > 0.0f ? Gather::largest : Gather::smallest;
  if (p == 0.0f) return Gather::nonzero;
  if (p == 1.0f) return Gather::magnitudes;
  return p == 2.0f ? Gather::squares : Gather::powers;
}

// A kernel that takes each element of the gradient on its own.
template <class Params>
void run_each(std::string_view shader, const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<Params>();
  if (params.count == 0) return;
  encoder.dispatch(shader, call, Push(call).add(params), encoder.spread(params.count),
                   {by_fours(call, {op::unscale::gradient})});
}

}  // namespace

void inspect(const KernelCall& call, CommandEncoder& encoder) { run_each<CountParams>("inspect", call, encoder); }
void unscale(const KernelCall& call, CommandEncoder& encoder) { run_each<CountParams>("unscale", call, encoder); }
void clip_norm(const KernelCall& call, CommandEncoder& encoder) { run_each<ClipParams>("clip_norm", call, encoder); }
void clip_value(const KernelCall& call, CommandEncoder& encoder) { run_each<ClipParams>("clip_value", call, encoder); }

// A part for each workgroup, then one workgroup that joins them: the order depends on the count alone.
void gradient_norm(const KernelCall& call, CommandEncoder& encoder) {
  constexpr std::uint32_t kPerInvocation = 32;
  constexpr std::size_t kPartBytes = 16;
  const auto params = call.params<GradientNormParams>();
  const auto gather = static_cast<std::uint32_t>(gather_of(params.p));
  const std::uint32_t fours = by_fours(call, {op::gradient_norm::gradient});
  const Groups groups = encoder.spread(params.count, kPerInvocation);
  const std::uint32_t parts = params.count == 0 ? 0 : groups.x;
  const Block& scratch = encoder.scratch(kPartBytes * std::max(parts, 1u));
  if (parts > 0) {
    Push push;
    push.add_buffer(call, op::gradient_norm::gradient).add_buffer(scratch, true).add(params);
    encoder.dispatch("gradient_norm", call, push, groups, {fours, gather});
  }
  const double inverse = 1.0 / params.p;
  const auto high = static_cast<float>(inverse);
  Push push;
  push.add_buffer(scratch, false).add_buffer(call, op::gradient_norm::total).add(params);
  push.add(high).add(std::isfinite(inverse) ? static_cast<float>(inverse - high) : 0.0f).add(parts);
  encoder.dispatch("gradient_norm_finish", call, push, {}, {fours, gather});
}

}  // namespace amphora::vulkan::launchers
