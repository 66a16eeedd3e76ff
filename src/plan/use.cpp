#include "plan/use.h"

#include <algorithm>

namespace amphora::plan {
namespace {

Use use_of_matmul(const KernelCall& call, int index) {
  switch (index) {
    case 2: return call.params<MatmulParams>().beta == 0.0f ? Use::write : Use::update;
    case 4: return (call.spec.flags & kFlagDerivative) != 0 ? Use::read : Use::write;
    case 5: return (call.spec.flags & kFlagAddBiasGradient) != 0 ? Use::update : Use::write;
    default: return Use::read;
  }
}

// Whether a strided copy writes one dense range.
bool is_dense(const CopyParams& params) {
  std::int64_t step = 1;
  for (int axis = params.rank - 1; axis >= 0; --axis) {
    if (params.sizes[axis] != 1 && params.out_strides[axis] != step) return false;
    step *= params.sizes[axis];
  }
  return true;
}

double count_of(const KernelCall& call) {
  std::size_t most = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const DType type = call.spec.types[std::min<std::size_t>(index, call.spec.types.size() - 1)];
    most = std::max(most, call.buffers[index].bytes / size_of(type));
  }
  return static_cast<double>(most);
}

}  // namespace

Use use_of(const KernelCall& call, int index, bool present) {
  if (!present) return Use::absent;
  switch (call.id) {
    case KernelId::matmul: return use_of_matmul(call, index);
    case KernelId::reduce:
      if (index == 1) return call.params<ReduceParams>().accumulate == 0 ? Use::write : Use::update;
      break;
    case KernelId::copy:
      if (index == 1) return is_dense(call.params<CopyParams>()) ? Use::write : Use::update;
      break;
    default: break;
  }
  switch (info_of(call.id).access[static_cast<std::size_t>(index)]) {
    case 'r':
    case 'R': return Use::read;
    case 'w':
    case 'W': return Use::write;
    default: return Use::update;
  }
}

Cost cost_of(const KernelCall& call) {
  Cost cost;
  int arrays = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    const BufferRange& range = call.buffers[static_cast<std::size_t>(i)];
    const Use use = use_of(call, i, range.bytes > 0);
    const auto bytes = static_cast<double>(range.bytes);
    if (reads(use)) cost.bytes += bytes;
    if (writes(use)) cost.bytes += bytes;
    if (reads(use)) ++arrays;
  }
  if (call.id == KernelId::matmul) {
    const auto p = call.params<MatmulParams>();
    cost.flops = 2.0 * p.m * p.n * p.k * p.batch;
  } else if (call.id != KernelId::fill && call.id != KernelId::cast && call.id != KernelId::copy) {
    cost.flops = count_of(call) * arrays;
  }
  return cost;
}

}  // namespace amphora::plan
