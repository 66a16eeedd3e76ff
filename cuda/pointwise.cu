// pointwise: the functions of kernel/shared/pointwise.def. The function is chosen once for eight elements.
#include "cuda/include/pointwise.cuh"
#include "cuda/include/pointwise.h"
#include "cuda/include/strided.cuh"

namespace amphora::cuda::kernels {

__global__ void unary(UnaryArguments g) {
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    Pack x = load(g.x, i, n);
    with_value_of(g.function, g.params.p0, g.params.p1, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) x.at[k] = f(x.at[k]);
    });
    store(g.y, i, n, x);
  });
}

__global__ void unary_grad(UnaryGradArguments g) {
  for_each_pack(g.params.count, [&](std::size_t i, int n) {
    const Pack x = load(g.x, i, n);
    const Pack y = load(g.y, i, n);
    Pack gradient = load(g.dy, i, n);
    with_slope_of(g.function, g.params.p0, g.params.p1, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) gradient.at[k] *= f(x.at[k], y.at[k]);
    });
    store(g.dx, i, n, gradient);
  });
}

__global__ void binary(BinaryArguments g) {
  for_each_pack(g.space, [&](const Place& place) {
    Pack a = load(g.space, g.a, place);
    const Pack b = load(g.space, g.b, place);
    with_value_of(g.function, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) a.at[k] = f(a.at[k], b.at[k]);
    });
    store(g.space, g.y, place, a);
  });
}

__global__ void binary_grad(BinaryGradArguments g) {
  for_each_pack(g.space, [&](const Place& place) {
    const Pack a = load(g.space, g.a, place);
    const Pack b = load(g.space, g.b, place);
    Pack gradient = load(g.space, g.dy, place);
    with_slope_of(g.function, g.second, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) gradient.at[k] *= f(a.at[k], b.at[k]);
    });
    store(g.space, g.dx, place, gradient);
  });
}

}  // namespace amphora::cuda::kernels
