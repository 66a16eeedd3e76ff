// dropout: a mask from a counter-based generator.
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/strided.h"

namespace amphora::vulkan::launchers {

void dropout(const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<DropoutParams>();
  if (params.count == 0) return;
  Push push;
  for (int buffer = 0; buffer < 3; ++buffer) push.add_buffer(call, buffer);
  encoder.dispatch("dropout", call, push.add(params), encoder.spread(params.count),
                   {by_fours(call, {op::dropout::x, op::dropout::y})});
}

}  // namespace amphora::vulkan::launchers
