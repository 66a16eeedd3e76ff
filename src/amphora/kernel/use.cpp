#include "amphora/kernel/use.h"

#include <algorithm>
#include <string_view>

namespace amphora {
namespace {

char access_of(const KernelCall& call, int index) {
  const char access = info_of(call.id).access[static_cast<std::size_t>(index)];
  return access >= 'A' && access <= 'Z' ? static_cast<char>(access - 'A' + 'a') : access;
}

bool has_flag(const KernelCall& call, std::uint8_t flag) { return (call.spec.flags & flag) != 0; }

std::size_t product_of(int rank, const std::int32_t* sizes) {
  std::size_t count = 1;
  for (int axis = 0; axis < rank; ++axis) count *= static_cast<std::size_t>(sizes[axis]);
  return count;
}

// The elements of c, where they leave no gaps; else 0.
std::size_t dense_product(const MatmulParams& p) {
  const bool rows = p.m == 1 || p.ldc == p.n;
  const bool batches = p.batch == 1 || p.c_batch_stride == p.m * p.n;
  return rows && batches ? std::size_t(p.m) * std::size_t(p.n) * std::size_t(p.batch) : 0;
}

// How many elements, from the range's first on, a call writes for certain.
std::size_t written_elements(const KernelCall& call, int index) {
  switch (call.id) {
    case KernelId::fill:
    case KernelId::cast:
    case KernelId::unary:
    case KernelId::unary_grad:
    case KernelId::dropout: return call.params<CountParams>().count;  // the first parameter of each
    case KernelId::binary:
    case KernelId::binary_grad: {
      const auto p = call.params<BinaryParams>();
      return product_of(p.rank, p.sizes);
    }
    case KernelId::copy: {
      const auto p = call.params<CopyParams>();
      return is_dense(p.rank, p.sizes, p.out_strides) ? product_of(p.rank, p.sizes) : 0;
    }
    case KernelId::matmul: {
      const auto p = call.params<MatmulParams>();
      return index == 5 ? static_cast<std::size_t>(p.n) : dense_product(p);
    }
    case KernelId::reduce:
    case KernelId::reduce_grad: {
      const auto p = call.params<ReduceParams>();
      const std::size_t lines = std::size_t{p.outer} * p.inner;
      return call.id == KernelId::reduce ? lines : lines * p.extent;
    }
    case KernelId::softmax:
    case KernelId::softmax_grad:
    case KernelId::cross_entropy_grad: {
      const auto p = call.params<RowsParams>();  // the first parameters of each
      return std::size_t{p.rows} * p.columns;
    }
    case KernelId::cross_entropy: return call.params<CrossEntropyParams>().rows;
    default: return 0;  // the state and the gradients of a step, which it may leave as they are
  }
}

bool reads_what_it_writes(const KernelCall& call, int index) {
  switch (call.id) {
    case KernelId::matmul:
      if (index == 2) return call.params<MatmulParams>().beta != 0.0f;
      return index == 5 && has_flag(call, kFlagAddBiasGradient);
    case KernelId::reduce: return call.params<ReduceParams>().accumulate != 0;
    case KernelId::copy: return false;
    default: return access_of(call, index) == 'u';
  }
}

bool only_reads(const KernelCall& call, int index) {
  return access_of(call, index) == 'r' ||
         (call.id == KernelId::matmul && index == 4 && has_flag(call, kFlagDerivative));
}

double count_of(const KernelCall& call) {
  std::size_t most = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    if (const auto type = type_of(call, i)) {
      most = std::max(most, call.buffers[static_cast<std::size_t>(i)].bytes / size_of(*type));
    }
  }
  return static_cast<double>(most);
}

}  // namespace

Use use_of(const KernelCall& call, int index, bool present) {
  if (!present) return Use::absent;
  if (only_reads(call, index)) return Use::read;
  if (reads_what_it_writes(call, index)) return Use::update;
  const auto type = type_of(call, index);
  const std::size_t written = type ? written_elements(call, index) * size_of(*type) : 0;
  return written == call.buffers[static_cast<std::size_t>(index)].bytes ? Use::write : Use::update;
}

std::optional<DType> type_of(const KernelCall& call, int index) {
  const auto i = static_cast<std::size_t>(index);
  const std::string_view name = buffer_name(call.id, i);
  for (const std::string_view state : {"scaler", "stats", "group", "total", "call"}) {
    if (name == state) return std::nullopt;
  }
  if (i < call.spec.types.size()) return call.spec.types[i];
  switch (call.id) {
    case KernelId::matmul: return index == 4 ? call.spec.types[2] : DType::f32;  // aux, bias_gradient
    case KernelId::cross_entropy_grad: return call.spec.types[0];
    case KernelId::optimizer_step: return call.spec.types[3];  // all states
    default: return std::nullopt;
  }
}

bool is_dense(int rank, const std::int32_t* sizes, const std::int32_t* strides) {
  std::int64_t step = 1;
  for (int axis = rank - 1; axis >= 0; --axis) {
    if (sizes[axis] != 1 && strides[axis] != step) return false;
    step *= sizes[axis];
  }
  return true;
}

Cost cost_of(const KernelCall& call) {
  Cost cost;
  int arrays = 0;
  for (int i = 0; i < call.buffer_count; ++i) {
    const BufferRange& range = call.buffers[static_cast<std::size_t>(i)];
    const Use use = use_of(call, i, range.bytes > 0);
    if (use == Use::absent) continue;
    const auto bytes = static_cast<double>(range.bytes);
    const bool is_read = use == Use::read || reads_what_it_writes(call, i);
    if (is_read) cost.bytes += bytes;
    if (writes(use)) cost.bytes += bytes;
    if (is_read && type_of(call, i)) ++arrays;
  }
  if (call.id == KernelId::matmul) {
    const auto p = call.params<MatmulParams>();
    cost.flops = 2.0 * p.m * p.n * p.k * p.batch;
  } else if (call.id != KernelId::fill && call.id != KernelId::cast && call.id != KernelId::copy) {
    cost.flops = count_of(call) * arrays;
  }
  return cost;
}

}  // namespace amphora
