#include "cuda/include/copy.h"
#include "cuda/include/io.cuh"

namespace amphora::cuda::kernels {
namespace {

__device__ std::uint32_t saturated_sum(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  const bool overflows = static_cast<int>((a ^ sum) & (b ^ sum)) < 0;
  return overflows ? 0x7FFFFFFFu + (a >> 31) : sum;
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

// Of two i32 by integers, saturated; else in f32.
__global__ void accumulate(AccumulateArguments arguments) {
  const Array& in = arguments.in;
  const Array& sum = arguments.sum;
  const bool integers = in.type == DType::i32 && sum.type == DType::i32;
  for_each_pack(arguments.params.count, [&](std::size_t i, int n) {
    const StoredPack added = load_stored(in, i, n);
    const StoredPack old = load_stored(sum, i, n);
    if (integers) {
      store_stored(sum, i, n, each<StoredPack>(saturated_sum, old, added));
    } else {
      const auto add = [](float a, float b) { return a + b; };
      store(sum, i, n, each(add, widen(sum.type, old), widen(in.type, added)));
    }
  });
}

}  // namespace amphora::cuda::kernels
