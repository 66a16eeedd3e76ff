// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#include "cuda/include/gradient.h"
#include "cuda/include/io.cuh"

namespace amphora::cuda::kernels {
namespace {

__device__ bool all_finite(const Pack& pack) {
  bool finite = true;
#pragma unroll
  for (int k = 0; k < kPack; ++k) finite = finite && is_finite(pack.at[k]);
  return finite;
}

// Several threads may write; the number is the same whatever came first.
__device__ void report(const InspectArguments& g) {
  atomicExch(reinterpret_cast<unsigned*>(&g.scaler->found_inf), bits_of(1.0f));
  atomicExch(reinterpret_cast<unsigned*>(&g.stats->found_inf), bits_of(1.0f));
}

}  // namespace

__global__ void inspect(InspectArguments g) {
  bool finite = true;
  for_each_pack(g.params.count, [&](std::size_t i, int n) { finite = finite && all_finite(load(g.gradient, i, n)); });
  if (!finite) report(g);
}

__global__ void unscale(InspectArguments g) {
  const auto inverse = static_cast<float>(1.0 / g.scaler->scale);
  bool finite = true;
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    Pack gradient = load(g.gradient, i, n);
    // The scaled value is judged: an overflow by the multiplication is not the loss scale's fault.
    finite = finite && all_finite(gradient);
    if (inverse == 1.0f) return;
#pragma unroll
    for (int k = 0; k < kPack; ++k) gradient.at[k] *= inverse;
    store(g.gradient, i, n, gradient);
  });
  if (!finite) report(g);
}

__global__ void clip_norm(ClipArguments g) {
  // Reciprocal, then product: the two roundings of PyTorch's number / tensor.
  const float ratio = 1.0f / (*g.total + 1e-6f) * g.params.limit;
  const float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
  if (factor == 1.0f) return;
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    Pack gradient = load(g.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) gradient.at[k] *= factor;
    store(g.gradient, i, n, gradient);
  });
}

__global__ void clip_value(ClipArguments g) {
  const float limit = g.params.limit;
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    Pack gradient = load(g.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      const float value = gradient.at[k];
      if (value > limit) gradient.at[k] = limit;
      if (value < -limit) gradient.at[k] = -limit;
    }
    store(g.gradient, i, n, gradient);
  });
}

}  // namespace amphora::cuda::kernels
