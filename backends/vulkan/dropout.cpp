// dropout: a mask from a counter-based generator.
#include "backends/vulkan/kernels.h"
#include "backends/vulkan/strided.h"

namespace amphora::vulkan::launchers {

void dropout(const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<DropoutParams>();
  if (params.count == 0) return;
  Push push;
  for (int buffer = 0; buffer < 3; ++buffer) push.add_buffer(call, buffer);
  recorder.dispatch("dropout", call, push.add(params), recorder.spread(params.count), {by_fours(call, {0, 1})});
}

}  // namespace amphora::vulkan::launchers
