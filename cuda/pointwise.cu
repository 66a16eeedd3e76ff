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

// Bounded, since the compiler would spend registers on what no thread waits for, and with them threads.
__global__ void __launch_bounds__(256, 5) binary_packs(BinaryArguments g) {
  for_each_pack(g.space, [&](std::size_t i, int n, const Index& index) {
    Pack a = load(g.a, index, n);
    const Pack b = load(g.b, index, n);
    with_value_of(g.function, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) a.at[k] = f(a.at[k], b.at[k]);
    });
    store(g.y, i, n, a);
  });
}

__global__ void binary_elements(BinaryArguments g) {
  for_each_element(g.space, [&](std::size_t i, const Index& index) {
    float value = load(g.a, index);
    const float b = load(g.b, index);
    with_value_of(g.function, [&](auto f) { value = f(value, b); });
    store(g.y, i, value);
  });
}

__global__ void __launch_bounds__(256, 5) binary_grad_packs(BinaryGradArguments g) {
  for_each_pack(g.space, [&](std::size_t i, int n, const Index& index) {
    const Pack a = load(g.a, index, n);
    const Pack b = load(g.b, index, n);
    Pack gradient = load(g.dy, index, n);
    with_slope_of(g.function, g.second, [&](auto f) {
#pragma unroll
      for (int k = 0; k < kPack; ++k) gradient.at[k] *= f(a.at[k], b.at[k]);
    });
    store(g.dx, i, n, gradient);
  });
}

__global__ void binary_grad_elements(BinaryGradArguments g) {
  for_each_element(g.space, [&](std::size_t i, const Index& index) {
    const float a = load(g.a, index);
    const float b = load(g.b, index);
    float gradient = load(g.dy, index);
    with_slope_of(g.function, g.second, [&](auto f) { gradient *= f(a, b); });
    store(g.dx, i, gradient);
  });
}

}  // namespace amphora::cuda::kernels
