// pointwise: the functions of kernel/shared/pointwise.def.
#include "cuda/include/pointwise.h"

#include "backends/cuda/launchers/launchers.h"
#include "backends/cuda/launchers/strided.h"

namespace amphora::cuda::launchers {

void unary(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary", kernels::unary, stream.blocks_for(params.count, kPack),
                kernels::UnaryArguments{array_of(call, op::unary::x), array_of(call, op::unary::y), params,
                                        static_cast<UnaryFunction>(call.spec.function)});
}

void unary_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary_grad", kernels::unary_grad, stream.blocks_for(params.count, kPack),
                kernels::UnaryGradArguments{array_of(call, op::unary_grad::x), array_of(call, op::unary_grad::y),
                                            array_of(call, op::unary_grad::dy), array_of(call, op::unary_grad::dx),
                                            params, static_cast<UnaryFunction>(call.spec.function)});
}

void binary(const KernelCall& call, Stream& stream) {
  auto p = call.params<BinaryParams>();
  const std::uint32_t count = merge_axes(p.rank, p.sizes, {p.a_strides, p.b_strides});
  if (count == 0) return;
  const Array y = array_of(call, op::binary::y);
  const kernels::BinaryArguments g{
      space_of(count, p.rank, p.sizes, y.wide), strided_of(call, op::binary::a, p.rank, p.a_strides),
      strided_of(call, op::binary::b, p.rank, p.b_strides), y, static_cast<BinaryFunction>(call.spec.function)};
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
  const Array dx = array_of(call, op::binary_grad::dx);
  const kernels::BinaryGradArguments g{space_of(count, p.rank, p.sizes, dx.wide),
                                       strided_of(call, op::binary_grad::a, p.rank, p.a_strides),
                                       strided_of(call, op::binary_grad::b, p.rank, p.b_strides),
                                       strided_of(call, op::binary_grad::dy, p.rank, p.dy_strides),
                                       dx,
                                       static_cast<BinaryFunction>(call.spec.function),
                                       (call.spec.flags & kBinaryGradSecond) != 0};
  if (g.space.packs) {
    stream.launch("binary_grad_packs", kernels::binary_grad_packs, stream.blocks_for(count, kPack), g);
  } else {
    stream.launch("binary_grad_elements", kernels::binary_grad_elements, stream.blocks_for(count), g);
  }
}

}  // namespace amphora::cuda::launchers
