// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#include "cuda/include/gradient.h"

#include <algorithm>
#include <cmath>

#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {
namespace {

using kernels::Gather;

Gather gather_of(float p) {
  if (std::isinf(p)) return p > 0.0f ? Gather::largest : Gather::smallest;
  if (p == 0.0f) return Gather::nonzero;
  if (p == 1.0f) return Gather::magnitudes;
  return p == 2.0f ? Gather::squares : Gather::powers;
}

dim3 blocks_of(const Stream& stream, std::uint32_t count) { return {stream.blocks_for(count, 8)}; }

kernels::ScaledArguments scaled_arguments(const KernelCall& call) {
  return {array_of(call, op::unscale::gradient), static_cast<ScalerState*>(address_of(call, op::unscale::scaler)),
          static_cast<GradientStats*>(address_of(call, op::unscale::stats)), call.params<CountParams>()};
}

}  // namespace

void inspect(const KernelCall& call, Stream& stream) {
  const kernels::ScaledArguments arguments = scaled_arguments(call);
  stream.launch("inspect", kernels::inspect, blocks_of(stream, arguments.params.count), arguments);
}

void unscale(const KernelCall& call, Stream& stream) {
  const kernels::ScaledArguments arguments = scaled_arguments(call);
  stream.launch("unscale", kernels::unscale, blocks_of(stream, arguments.params.count), arguments);
}

void clip_norm(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ClipParams>();
  const kernels::ClipNormArguments arguments{array_of(call, op::clip_norm::gradient),
                                             static_cast<const float*>(address_of(call, op::clip_norm::total)), params};
  stream.launch("clip_norm", kernels::clip_norm, blocks_of(stream, params.count), arguments);
}

void clip_value(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ClipParams>();
  const kernels::ClipValueArguments arguments{array_of(call, op::clip_value::gradient), params};
  stream.launch("clip_value", kernels::clip_value, blocks_of(stream, params.count), arguments);
}

// A part for each block, then one block that joins them. Their number follows from the count alone, so that every
// device gives the same bits.
void gradient_norm(const KernelCall& call, Stream& stream) {
  constexpr std::uint32_t kMaxParts = 1024;
  constexpr std::uint32_t kPerPart = kThreads * 8 * 4;
  const auto params = call.params<GradientNormParams>();
  const Gather gather = gather_of(params.p);
  const std::uint32_t parts = std::min(params.count / kPerPart + (params.count % kPerPart != 0 ? 1 : 0), kMaxParts);
  auto* scratch = static_cast<double*>(stream.scratch(sizeof(double) * std::max(parts, 1u)));
  const kernels::GradientNormArguments arguments{array_of(call, op::gradient_norm::gradient), scratch, params, gather};
  if (gather == Gather::powers) {
    stream.launch("gradient_norm_powers", kernels::gradient_norm_powers, dim3(parts), arguments);
  } else {
    stream.launch("gradient_norm", kernels::gradient_norm, dim3(parts), arguments);
  }
  const kernels::NormFinishArguments finish{
      scratch, parts, static_cast<float*>(address_of(call, op::gradient_norm::total)), params.p, gather};
  stream.launch("gradient_norm_finish", kernels::gradient_norm_finish, dim3(1), finish);
}

}  // namespace amphora::cuda::launchers
