// dropout: the mask is a function of the stream and the index, so backward draws it again.
#include "cuda/include/dropout.h"
#include "cuda/include/io.cuh"

#define AM_UINT unsigned
#define AM_MULHI(a, b) __umulhi(a, b)
#include "amphora/kernel/shared/philox.h"

namespace amphora::cuda::kernels {

__global__ void dropout(DropoutArguments g) {
  const DropoutParams& p = g.params;
  const unsigned stream_high = p.stream_high + (g.call == nullptr ? 0u : *g.call);
  for_each_pack(p.count, [&](std::size_t i, int n) {
    Pack x = load(g.x, i, n);
    // A block of the generator has the words of four elements.
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      unsigned c0 = static_cast<unsigned>(i / 4) + half;
      unsigned c1 = 0;
      unsigned c2 = p.stream_low;
      unsigned c3 = stream_high;
      unsigned k0 = p.seed_low;
      unsigned k1 = p.seed_high;
      AM_PHILOX_10(c0, c1, c2, c3, k0, k1)
      const unsigned words[4] = {c0, c1, c2, c3};
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        float& value = x.at[4 * half + k];
        value = words[k] >= p.threshold ? value * p.scale : 0.0f;
      }
    }
    store(g.y, i, n, x);
  });
}

}  // namespace amphora::cuda::kernels
