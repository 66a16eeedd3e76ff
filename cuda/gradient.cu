// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#include "cuda/include/gradient.h"
#include "cuda/include/gradient_norm.cuh"

namespace amphora::cuda::kernels {
namespace {

// A block whose threads found a number that is not finite says so once. All that write write the same.
__device__ void report(const ScaledArguments& a, bool found) {
  if (__syncthreads_or(found ? 1 : 0) == 0 || threadIdx.x != 0) return;
  const unsigned one = bits_of(1.0f);
  atomicExch(reinterpret_cast<unsigned*>(&a.scaler->found_inf), one);
  atomicExch(reinterpret_cast<unsigned*>(&a.stats->found_inf), one);
}

__device__ bool is_finite(const Pack& pack) {
  bool finite = true;
#pragma unroll
  for (int k = 0; k < kPack; ++k) finite = finite && amphora::cuda::is_finite(pack.at[k]);
  return finite;
}

__device__ void multiply(const Array& array, std::size_t i, int n, Pack pack, float factor) {
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = pack.at[k] * factor;
  store(array, i, n, pack);
}

template <class Gatherer>
__device__ void gather(const GradientNormArguments& a, const Gatherer& gatherer) {
  auto value = Gatherer::neutral();
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    const Pack x = load(a.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k < n) gatherer.add(value, x.at[k]);
    }
  });
  value = join_lanes(value, kBlock, gatherer);
  if (threadIdx.x == 0) a.parts[blockIdx.x] = Gatherer::part_of(value);
}

// NaN wins.
struct LargerPart {
  __device__ double operator()(double a, double b) const { return a < b || b != b ? b : a; }
};
struct SmallerPart {
  __device__ double operator()(double a, double b) const { return b < a || b != b ? b : a; }
};

template <class Join>
__device__ double joined_parts(const NormFinishArguments& a, double start, Join join) {
  for (std::uint32_t i = threadIdx.x; i < a.count; i += kBlock) start = join(start, a.parts[i]);
  return join_lanes(start, kBlock, join);
}

// The norm of all that the parts stand for and of an older norm.
__device__ float norm_of(double parts, float old, float p, Gather gather) {
  const double older = fabs(static_cast<double>(old));
  switch (gather) {
    case Gather::squares: return sqrtf(static_cast<float>(older * older + parts));
    case Gather::magnitudes: return static_cast<float>(older + parts);
    case Gather::nonzero: return old + static_cast<float>(parts);
    case Gather::largest: return static_cast<float>(LargerPart{}(older, parts));
    case Gather::smallest: return static_cast<float>(SmallerPart{}(older, parts));
    default: break;
  }
  // An f32 sum: gradients whose powers exceed f32 have an infinite norm on every backend.
  const auto sum = static_cast<float>(pow(older, static_cast<double>(p)) + parts);
  return static_cast<float>(pow(static_cast<double>(sum), 1.0 / p));
}

}  // namespace

__global__ void __launch_bounds__(kBlock) inspect(ScaledArguments a) {
  bool finite = true;
  for_each_pack(a.params.count, [&](std::size_t i, int n) { finite = is_finite(load(a.gradient, i, n)) && finite; });
  report(a, !finite);
}

__global__ void __launch_bounds__(kBlock) unscale(ScaledArguments a) {
  const float inverse = 1.0f / a.scaler->scale;
  bool finite = true;
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    const Pack scaled = load(a.gradient, i, n);
    // The scaled value is judged: an overflow by the multiplication is not the loss scale's fault.
    finite = is_finite(scaled) && finite;
    if (inverse != 1.0f) multiply(a.gradient, i, n, scaled, inverse);
  });
  report(a, !finite);
}

__global__ void __launch_bounds__(kBlock) clip_norm(ClipNormArguments a) {
  // Reciprocal, then product: the two roundings of PyTorch's number / tensor.
  const float ratio = 1.0f / (*a.total + 1e-6f) * a.params.limit;
  const float factor = ratio > 1.0f ? 1.0f : ratio;  // NaN stays NaN
  if (factor == 1.0f) return;
  for_each_pack(a.params.count,
                [&](std::size_t i, int n) { multiply(a.gradient, i, n, load(a.gradient, i, n), factor); });
}

// What lies within the limits keeps its bits, and packs without anything else are not written.
__global__ void __launch_bounds__(kBlock) clip_value(ClipValueArguments a) {
  const float limit = a.params.limit;
  const DType type = a.gradient.type;
  const std::uint32_t highest = narrow(type, limit);
  const std::uint32_t lowest = narrow(type, -limit);
  for_each_pack(a.params.count, [&](std::size_t i, int n) {
    StoredPack pack = load_stored(a.gradient, i, n);
    bool changed = false;
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      const float value = widen(type, pack.at[k]);
      if (value > limit) pack.at[k] = highest;
      if (value < -limit) pack.at[k] = lowest;
      changed = changed || value > limit || value < -limit;
    }
    if (changed) store_stored(a.gradient, i, n, pack);
  });
}

__global__ void __launch_bounds__(kBlock) gradient_norm(GradientNormArguments a) {
  switch (a.gather) {
    case Gather::squares: return gather(a, GatherSquares{});
    case Gather::magnitudes: return gather(a, GatherMagnitudes{});
    case Gather::nonzero: return gather(a, GatherNonzero{});
    case Gather::largest: return gather(a, GatherLargest{});
    case Gather::smallest: return gather(a, GatherSmallest{});
    case Gather::powers: return;
  }
}

__global__ void __launch_bounds__(kBlock) gradient_norm_powers(GradientNormArguments a) {
  gather(a, GatherPowers{static_cast<double>(a.params.p)});
}

__global__ void __launch_bounds__(kBlock) gradient_norm_finish(NormFinishArguments a) {
  double parts = 0.0;
  switch (a.gather) {
    case Gather::largest: parts = joined_parts(a, 0.0, LargerPart{}); break;
    case Gather::smallest: parts = joined_parts(a, HUGE_VAL, SmallerPart{}); break;
    default: parts = joined_parts(a, 0.0, Plus{}); break;
  }
  const float old = *a.total;
  if (threadIdx.x != 0 || is_nan_bits(bits_of(old))) return;
  *a.total = norm_of(parts, old, a.p, a.gather);
}

}  // namespace amphora::cuda::kernels
