// dropout: a mask from a counter-based generator.
#include "backends/vulkan/kernels.h"
#include "backends/vulkan/strided.h"

namespace amphora::vulkan::launchers {

void dropout(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<DropoutParams>();
  if (params.count == 0) return;
  recorder.dispatch("dropout", call, Push(call).add(params), recorder.spread(params.count), {by_fours(call, {0, 1})});
}

}  // namespace amphora::vulkan::launchers
