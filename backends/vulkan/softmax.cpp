// softmax: along rows.
#include "backends/vulkan/kernels.h"
#include "backends/vulkan/rows.h"

namespace amphora::vulkan::launchers {
namespace {

void run_rows(std::string_view shader, const KernelCall& call, Recorder& recorder) {
  const auto params = call.params<RowsParams>();
  if (params.rows == 0 || params.columns == 0) return;
  const RowCut cut(recorder, params.rows, params.columns);
  recorder.dispatch(shader, call, Push(call).add(params), cut.groups, {cut.lanes});
}

}  // namespace

void softmax(const KernelCall& call, Recorder& recorder) { run_rows("softmax", call, recorder); }
void softmax_grad(const KernelCall& call, Recorder& recorder) { run_rows("softmax_grad", call, recorder); }

}  // namespace amphora::vulkan::launchers
