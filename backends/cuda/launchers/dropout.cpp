#include "cuda/include/dropout.h"

#include "backends/cuda/launchers/launchers.h"

namespace amphora::cuda::launchers {

void dropout(const KernelCall& call, Stream& stream) {
  const auto params = call.params<DropoutParams>();
  stream.launch(
      "dropout", kernels::dropout, stream.blocks_for(params.count, kPack),
      kernels::DropoutArguments{array_of(call, op::dropout::x), array_of(call, op::dropout::y),
                                static_cast<const std::uint32_t*>(address_of(call, op::dropout::call)), params});
}

}  // namespace amphora::cuda::launchers
