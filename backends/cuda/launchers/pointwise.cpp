// pointwise: the functions of kernel/shared/pointwise.def.
#include "cuda/include/pointwise.h"

#include "backends/cuda/launchers/launchers.h"
#include "backends/cuda/launchers/strided.h"

namespace amphora::cuda::launchers {

void unary(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary", kernels::unary, stream.blocks_for(params.count, kPack),
                kernels::UnaryArguments{array_of(call, 0), array_of(call, 1), params,
                                        static_cast<UnaryFunction>(call.spec.function)});
}

void unary_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary_grad", kernels::unary_grad, stream.blocks_for(params.count, kPack),
                kernels::UnaryGradArguments{array_of(call, 0), array_of(call, 1), array_of(call, 2), array_of(call, 3),
                                            params, static_cast<UnaryFunction>(call.spec.function)});
}

void binary(const KernelCall& call, Stream& stream) {
  auto p = call.params<BinaryParams>();
  const std::uint32_t count = merge_axes(p.rank, p.sizes, {p.a_strides, p.b_strides});
  if (count == 0) return;
  const Array y = array_of(call, 2);
  const kernels::BinaryArguments g{space_of(count, p.rank, p.sizes, y.wide), strided_of(call, 0, p.rank, p.a_strides),
                                   strided_of(call, 1, p.rank, p.b_strides), y,
                                   static_cast<BinaryFunction>(call.spec.function)};
  if (g.space.packs) {
    stream.launch("binary_packs", kernels::binary_packs, stream.blocks_for(count, kPack), g);
  } else {
    stream.launch("binary_elements", kernels::binary_elements, stream.blocks_for(count), g);
  }
}

void binary_grad(const KernelCall& call, Stream& stream) {
  auto p = call.params<BinaryParams>();
  const std::uint32_t count = merge_axes(p.rank, p.sizes, {p.a_strides, p.b_strides, p.dy_strides});
  if (count == 0) return;
  const Array dx = array_of(call, 3);
  const kernels::BinaryGradArguments g{space_of(count, p.rank, p.sizes, dx.wide),
                                       strided_of(call, 0, p.rank, p.a_strides),
                                       strided_of(call, 1, p.rank, p.b_strides),
                                       strided_of(call, 2, p.rank, p.dy_strides),
                                       dx,
                                       static_cast<BinaryFunction>(call.spec.function),
                                       (call.spec.flags & kFlagSecond) != 0};
  if (g.space.packs) {
    stream.launch("binary_grad_packs", kernels::binary_grad_packs, stream.blocks_for(count, kPack), g);
  } else {
    stream.launch("binary_grad_elements", kernels::binary_grad_elements, stream.blocks_for(count), g);
  }
}

}  // namespace amphora::cuda::launchers
