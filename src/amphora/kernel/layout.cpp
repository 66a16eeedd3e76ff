#include "amphora/kernel/layout.h"

#include <utility>

#include "amphora/kernel/use.h"

namespace amphora {
namespace {

Layout layout_of_matmul(const KernelCall& call, int index) {
  const auto p = call.params<MatmulParams>();
  const auto matrices = [&](std::int32_t rows, std::int32_t columns, bool transposed, std::int32_t leading,
                            std::int32_t batch_stride) {
    if (transposed) std::swap(rows, columns);
    return Layout{{1, 1, p.batch, rows, columns}, {0, 0, batch_stride, leading, 1}};
  };
  switch (index) {
    case 0: return matrices(p.m, p.k, (call.spec.flags & kFlagTransposeA) != 0, p.lda, p.a_batch_stride);
    case 1: return matrices(p.k, p.n, (call.spec.flags & kFlagTransposeB) != 0, p.ldb, p.b_batch_stride);
    case 2:
    case 4: return matrices(p.m, p.n, false, p.ldc, p.c_batch_stride);
    default: return {{1, 1, 1, 1, p.n}, {0, 0, 0, 0, 1}};
  }
}

}  // namespace

Layout layout_of(const KernelCall& call, int index, std::int64_t count) {
  switch (call.id) {
    case KernelId::matmul: return layout_of_matmul(call, index);
    case KernelId::copy: {
      const auto p = call.params<CopyParams>();
      return Layout::strided(p.rank, p.sizes, index == 0 ? p.in_strides : p.out_strides);
    }
    case KernelId::binary:
    case KernelId::binary_grad: {
      const auto p = call.params<BinaryParams>();
      const std::int32_t* strides[] = {p.a_strides, p.b_strides, p.dy_strides};
      if (reads(use_of(call, index, true))) return Layout::strided(p.rank, p.sizes, strides[index]);
      break;
    }
    default: break;
  }
  return {{1, 1, 1, 1, count}, {0, 0, 0, 0, 1}};
}

}  // namespace amphora
