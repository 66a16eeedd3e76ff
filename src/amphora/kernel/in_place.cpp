#include "amphora/kernel/in_place.h"

#include "amphora/kernel/use.h"

namespace amphora {
namespace {

bool same_size(const KernelCall& call, int operand, int result) {
  return size_of(*type_of(call, operand)) == size_of(*type_of(call, result));
}

// Whether the operand of a strided kernel lies like its result, which is dense.
bool lies_dense(const KernelCall& call, int operand) {
  const auto p = call.params<BinaryParams>();
  const std::int32_t* strides[] = {p.a_strides, p.b_strides, p.dy_strides};
  return is_dense(p.rank, p.sizes, strides[operand]);
}

}  // namespace

int result_in_place(const KernelCall& call) {
  switch (call.id) {
    case KernelId::cast:
    case KernelId::unary:
    case KernelId::dropout:
    case KernelId::softmax: return 1;
    case KernelId::binary:
    case KernelId::softmax_grad: return 2;
    case KernelId::unary_grad:
    case KernelId::binary_grad: return 3;
    case KernelId::cross_entropy_grad: return 4;
    default: return -1;
  }
}

bool may_overwrite(const KernelCall& call, int index) {
  const int result = result_in_place(call);
  if (result < 0 || index >= result) return false;
  switch (call.id) {
    case KernelId::cross_entropy_grad: return index == 0;  // what else it reads belongs to rows
    case KernelId::binary:
    case KernelId::binary_grad: return same_size(call, index, result) && lies_dense(call, index);
    default: return same_size(call, index, result);
  }
}

}  // namespace amphora
