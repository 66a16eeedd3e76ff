// pointwise: the functions of kernel/shared/pointwise.def.
#include "cuda/include/pointwise.h"

#include "backends/cuda/kernels.h"
#include "backends/cuda/strided.h"

namespace amphora::cuda::launchers {

void unary(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary", kernels::unary, stream.blocks_for(params.count, 8),
                kernels::UnaryArguments{array_of(call, 0), array_of(call, 1), params,
                                        static_cast<UnaryFunction>(call.spec.function)});
}

void unary_grad(const KernelCall& call, Stream& stream) {
  const auto params = call.params<UnaryParams>();
  stream.launch("unary_grad", kernels::unary_grad, stream.blocks_for(params.count, 8),
                kernels::UnaryGradArguments{array_of(call, 0), array_of(call, 1), array_of(call, 2), array_of(call, 3),
                                            params, static_cast<UnaryFunction>(call.spec.function)});
}

void binary(const KernelCall& call, Stream& stream) {
  auto params = call.params<BinaryParams>();
  if (merge_axes(params.rank, params.sizes, {params.a_strides, params.b_strides}) == 0) return;
  const Space space = space_of(params.rank, params.sizes);
  stream.launch("binary", kernels::binary, stream.blocks_for(space.packs),
                kernels::BinaryArguments{space, strided_of(call, 0, space, params.a_strides),
                                         strided_of(call, 1, space, params.b_strides), dense_of(call, 2, space),
                                         static_cast<BinaryFunction>(call.spec.function)});
}

void binary_grad(const KernelCall& call, Stream& stream) {
  auto params = call.params<BinaryParams>();
  if (merge_axes(params.rank, params.sizes, {params.a_strides, params.b_strides, params.dy_strides}) == 0) return;
  const Space space = space_of(params.rank, params.sizes);
  stream.launch("binary_grad", kernels::binary_grad, stream.blocks_for(space.packs),
                kernels::BinaryGradArguments{
                    space, strided_of(call, 0, space, params.a_strides), strided_of(call, 1, space, params.b_strides),
                    strided_of(call, 2, space, params.dy_strides), dense_of(call, 3, space),
                    static_cast<BinaryFunction>(call.spec.function), (call.spec.flags & kFlagSecond) != 0});
}

}  // namespace amphora::cuda::launchers
