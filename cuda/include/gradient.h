// gradient: checks, unscaling, norms and clipping over flat ranges of the gradient arena.
#pragma once

#include <cuda_runtime.h>

#include "cuda/include/array.h"
#include "kernel/call.h"

namespace amphora::cuda::kernels {

struct InspectArguments {
  Array gradient;
  ScalerState* scaler;
  GradientStats* stats;
  CountParams params;
};
__global__ void inspect(InspectArguments arguments);
__global__ void unscale(InspectArguments arguments);

struct ClipArguments {
  Array gradient;
  const float* total;  // of clip_norm alone
  ClipParams params;
};
__global__ void clip_norm(ClipArguments arguments);
__global__ void clip_value(ClipArguments arguments);

// What a norm gathers, by its order.
enum class Gather : std::uint8_t { squares, magnitudes, powers, nonzero, largest, smallest };

// A partial result. Sums are pairs of f32, of terms, and of terms below 2^-100, which are kept 2^128 times as large:
// f32 alone would lose them. Counts and magnitudes, as the integers that order like them, take the first word.
struct NormPart {
  float sum;
  float sum_rest;
  float small;
  float small_rest;
  std::uint32_t word;
};
// Each block leaves a part; a fixed number of blocks, so that every device adds in the same order.
inline constexpr unsigned kNormBlocks = 512;

struct NormArguments {
  Array gradient;
  NormPart* parts;
  NormParams params;
  Gather gather;
};
__global__ void norm(NormArguments arguments);

// One block joins the parts and what `total` holds.
struct NormFinishArguments {
  const NormPart* parts;
  float* total;
  std::uint32_t count;
  float p;
  Gather gather;
};
__global__ void norm_finish(NormFinishArguments arguments);

}  // namespace amphora::cuda::kernels
