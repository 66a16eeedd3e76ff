// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#include "cuda/include/gradient.h"

#include <algorithm>
#include <cmath>

#include "backends/cuda/kernels.h"

namespace amphora::cuda::launchers {
namespace {

kernels::InspectArguments inspected(const KernelCall& call) {
  return {array_of(call, 0), static_cast<ScalerState*>(address_of(call, 1)),
          static_cast<GradientStats*>(address_of(call, 2)), call.params<CountParams>()};
}

kernels::Gather gather_of(float p) {
  if (std::isinf(p)) return p > 0.0f ? kernels::Gather::largest : kernels::Gather::smallest;
  if (p == 0.0f) return kernels::Gather::nonzero;
  if (p == 1.0f) return kernels::Gather::magnitudes;
  return p == 2.0f ? kernels::Gather::squares : kernels::Gather::powers;
}

}  // namespace

void inspect(const KernelCall& call, Stream& stream) {
  const kernels::InspectArguments arguments = inspected(call);
  stream.launch("inspect", kernels::inspect, stream.blocks_for(arguments.params.count, 8), arguments);
}

void unscale(const KernelCall& call, Stream& stream) {
  const kernels::InspectArguments arguments = inspected(call);
  stream.launch("unscale", kernels::unscale, stream.blocks_for(arguments.params.count, 8), arguments);
}

void norm(const KernelCall& call, Stream& stream) {
  const auto params = call.params<NormParams>();
  const kernels::Gather gather = gather_of(params.p);
  const std::uint32_t packs = (params.count + 7) / 8;
  const unsigned blocks = std::min((packs + kThreads - 1) / kThreads, kernels::kNormBlocks);
  auto* parts = static_cast<kernels::NormPart*>(stream.scratch(sizeof(kernels::NormPart) * blocks));
  stream.launch("norm", kernels::norm, blocks, kernels::NormArguments{array_of(call, 0), parts, params, gather});
  stream.launch(
      "norm_finish", kernels::norm_finish, 1,
      kernels::NormFinishArguments{parts, static_cast<float*>(address_of(call, 1)), blocks, params.p, gather});
}

void clip_norm(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ClipParams>();
  stream.launch("clip_norm", kernels::clip_norm, stream.blocks_for(params.count, 8),
                kernels::ClipArguments{array_of(call, 0), static_cast<const float*>(address_of(call, 1)), params});
}

void clip_value(const KernelCall& call, Stream& stream) {
  const auto params = call.params<ClipParams>();
  stream.launch("clip_value", kernels::clip_value, stream.blocks_for(params.count, 8),
                kernels::ClipArguments{array_of(call, 0), nullptr, params});
}

}  // namespace amphora::cuda::launchers
