#include "cuda/include/copy.h"
#include "cuda/include/io.cuh"

namespace amphora::cuda::kernels {
namespace {

// Of two i32 by integers, saturated; else in f32.
__device__ std::uint32_t sum_of(DType type, std::uint32_t old, DType added_type, std::uint32_t added) {
  if (type == DType::i32 && added_type == DType::i32) {
    const std::uint32_t sum = old + added;
    const bool overflows = static_cast<int>((added ^ sum) & (old ^ sum)) < 0;
    return overflows ? 0x7FFFFFFFu + (old >> 31) : sum;
  }
  return narrow(type, widen(type, old) + widen(added_type, added));
}

}  // namespace

__global__ void fill(FillArguments arguments) {
  const Array& out = arguments.out;
  const std::uint32_t bits = bits_of(arguments.params.value);
  const std::uint32_t quiet = is_nan_bits(bits) ? bits | 0x400000u : bits;
  StoredPack pack;
#pragma unroll
  for (int k = 0; k < kPack; ++k) pack.at[k] = narrow(out.type, float_of(quiet));
  for_each_pack(arguments.params.count, [&](std::size_t i, int n) { store_stored(out, i, n, pack); });
}

__global__ void cast(CastArguments arguments) {
  const Array& in = arguments.in;
  const Array& out = arguments.out;
  for_each_pack(arguments.params.count, [&](std::size_t i, int n) {
    store_stored(out, i, n, convert(in.type, out.type, load_stored(in, i, n)));
  });
}

__global__ void accumulate(AccumulateArguments arguments) {
  const Array& in = arguments.in;
  const Array& sum = arguments.sum;
  for_each_pack(arguments.params.count, [&](std::size_t i, int n) {
    const StoredPack added = load_stored(in, i, n);
    StoredPack sums = load_stored(sum, i, n);
#pragma unroll
    for (int k = 0; k < kPack; ++k) sums.at[k] = sum_of(sum.type, sums.at[k], in.type, added.at[k]);
    store_stored(sum, i, n, sums);
  });
}

}  // namespace amphora::cuda::kernels
