// softmax: along rows.
#include "backends/vulkan/launchers/launchers.h"
#include "backends/vulkan/launchers/rows.h"

namespace amphora::vulkan::launchers {
namespace {

void run_rows(std::string_view shader, const KernelCall& call, CommandEncoder& encoder) {
  const auto params = call.params<RowsParams>();
  const RowTiling tiling(encoder, params.rows, params.columns);
  encoder.dispatch(shader, call, Push(call).add(params), tiling.groups, {tiling.lanes});
}

}  // namespace

void softmax(const KernelCall& call, CommandEncoder& encoder) { run_rows("softmax", call, encoder); }
void softmax_grad(const KernelCall& call, CommandEncoder& encoder) { run_rows("softmax_grad", call, encoder); }

}  // namespace amphora::vulkan::launchers
