// norm: of flat ranges of the gradient arena, in parts by block that one block joins.
#include "cuda/include/block.cuh"
#include "cuda/include/gradient.h"
#include "cuda/include/io.cuh"

namespace amphora::cuda::kernels {
namespace {

// Adds a pair to a pair, with the rounding error of the leading sum (Knuth, The Art of Computer Programming 2, 4.2.2).
__device__ void add(float& sum, float& rest, float other, float other_rest) {
  const float total = sum + other;
  const float part = total - sum;
  const float lost = (sum - (total - part)) + (other - part);
  // Infinities have no error; their difference would be NaN.
  rest = is_finite(total) ? rest + other_rest + lost : 0.0f;
  sum = total;
}

__device__ NormPart neutral(Gather gather) {
  return {0.0f, 0.0f, 0.0f, 0.0f, gather == Gather::smallest ? 0xFFFFFFFFu : 0u};
}

__device__ NormPart joined(Gather gather, NormPart a, const NormPart& b) {
  switch (gather) {
    case Gather::nonzero: a.word += b.word; break;
    case Gather::largest: a.word = max(a.word, b.word); break;
    case Gather::smallest: a.word = min(a.word, b.word); break;
    default: add(a.sum, a.sum_rest, b.sum, b.sum_rest); add(a.small, a.small_rest, b.small, b.small_rest);
  }
  return a;
}

constexpr float kSmallTerm = 0x1p-100f;

// What one element adds.
__device__ void gather_one(Gather gather, float x, float p, NormPart& part) {
  const std::uint32_t magnitude = bits_of(x) & 0x7FFFFFFFu;
  switch (gather) {
    case Gather::nonzero: part.word += magnitude != 0 ? 1u : 0u; return;
    case Gather::largest:
      part.word = max(part.word, magnitude);
      return;  // NaN is above infinity
    // NaN is below all numbers.
    case Gather::smallest: part.word = min(part.word, is_nan_bits(magnitude) ? 0u : magnitude + 1u); return;
    case Gather::magnitudes: add(part.sum, part.sum_rest, float_of(magnitude), 0.0f); return;
    case Gather::squares: {
      const bool small = magnitude < bits_of(0x1p-50f);
      const float root = x * (small ? 0x1p64f : 1.0f);
      if (small) {
        add(part.small, part.small_rest, root * root, 0.0f);
      } else {
        add(part.sum, part.sum_rest, root * root, 0.0f);
      }
      return;
    }
    case Gather::powers: {
      const float size = float_of(magnitude);
      const float term = powf(size, p);
      if (term >= kSmallTerm || !is_finite(size) || magnitude == 0) {
        add(part.sum, part.sum_rest, term, 0.0f);
      } else {
        // The root of a small term is no small number, unless the power is huge.
        const double scaled = pow(static_cast<double>(size), static_cast<double>(p)) * 0x1p128;
        add(part.small, part.small_rest, static_cast<float>(scaled), 0.0f);
      }
      return;
    }
  }
}

__device__ NormPart shuffled(const NormPart& part, unsigned reach) {
  return {__shfl_xor_sync(kEveryLane, part.sum, reach), __shfl_xor_sync(kEveryLane, part.sum_rest, reach),
          __shfl_xor_sync(kEveryLane, part.small, reach), __shfl_xor_sync(kEveryLane, part.small_rest, reach),
          __shfl_xor_sync(kEveryLane, part.word, reach)};
}

// Of all threads of the block; the first thread has the result.
__device__ NormPart joined_in_block(Gather gather, NormPart part, NormPart* shared) {
#pragma unroll
  for (unsigned reach = kWarp / 2; reach > 0; reach /= 2) part = joined(gather, part, shuffled(part, reach));
  if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = part;
  __syncthreads();
  for (unsigned warp = 1; threadIdx.x == 0 && warp < blockDim.x / kWarp; ++warp) {
    part = joined(gather, part, shared[warp]);
  }
  return part;
}

// The f32 nearest to a sum; beyond the largest it is infinite on every backend.
__device__ float rounded_sum(const NormPart& part) {
  const double small = (static_cast<double>(part.small) + part.small_rest) * 0x1p-128;
  return static_cast<float>(static_cast<double>(part.sum) + part.sum_rest + small);
}

}  // namespace

__global__ void __launch_bounds__(256) norm(NormArguments g) {
  __shared__ NormPart shared[256 / kWarp];
  NormPart part = neutral(g.gather);
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    const Pack gradient = load(g.gradient, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) {
      if (k < n) gather_one(g.gather, gradient.at[k], g.params.p, part);
    }
  });
  part = joined_in_block(g.gather, part, shared);
  if (threadIdx.x == 0) g.parts[blockIdx.x] = part;
}

__global__ void __launch_bounds__(256) norm_finish(NormFinishArguments g) {
  __shared__ NormPart shared[256 / kWarp];
  NormPart part = neutral(g.gather);
  for (std::uint32_t i = threadIdx.x; i < g.count; i += blockDim.x) part = joined(g.gather, part, g.parts[i]);
  part = joined_in_block(g.gather, part, shared);
  if (threadIdx.x != 0) return;
  const float old = *g.total;
  if (is_nan_bits(bits_of(old))) return;
  if (g.gather == Gather::nonzero) {
    *g.total = old + static_cast<float>(part.word);
    return;
  }
  NormPart before = neutral(g.gather);
  gather_one(g.gather, old, g.p, before);
  part = joined(g.gather, part, before);
  switch (g.gather) {
    case Gather::largest: *g.total = float_of(part.word > 0x7F800000u ? 0x7FC00000u : part.word); break;
    case Gather::smallest: *g.total = float_of(part.word == 0 ? 0x7FC00000u : part.word - 1u); break;
    case Gather::magnitudes: *g.total = rounded_sum(part); break;
    case Gather::squares: *g.total = sqrtf(rounded_sum(part)); break;
    default: *g.total = static_cast<float>(pow(static_cast<double>(rounded_sum(part)), 1.0 / static_cast<double>(g.p)));
  }
}

}  // namespace amphora::cuda::kernels
