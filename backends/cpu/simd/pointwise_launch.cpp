// The launchers of unary, unary_grad, binary and binary_grad: types, strides and tasks around pointwise.h.
#include "amphora/kernel/derivatives.h"
#include "backends/cpu/simd/blocks.h"
#include "backends/cpu/simd/launchers.h"
#include "backends/cpu/simd/parallel.h"
#include "backends/cpu/simd/pointwise.h"
#include "backends/cpu/simd/strided.h"

namespace amphora::cpu::simd {
namespace {

void unary(const KernelCall& call, Threads& threads) {
  const auto params = call.params<UnaryParams>();
  const auto function = unary_blocks(static_cast<UnaryFunction>(call.spec.function)).forward;
  const Input x(call.type_at(op::unary::x), data_of(call, op::unary::x));
  const Output y(call.type_at(op::unary::y), data_of(call, op::unary::y));
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) {
    Block block;
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      float* out = y.place(at, block.values);
      function(x.read(at, count, block.values), out, count, params.p0, params.p1);
      y.write(at, count, out);
    });
  });
}

void unary_grad(const KernelCall& call, Threads& threads) {
  const auto params = call.params<UnaryParams>();
  const auto function = unary_blocks(static_cast<UnaryFunction>(call.spec.function)).derivative;
  const DerivativeReads looks = kUnaryReads[call.spec.function];  // what is left out need not be converted
  const Input x(call.type_at(op::unary_grad::x), data_of(call, op::unary_grad::x));
  const Input y(call.type_at(op::unary_grad::y), data_of(call, op::unary_grad::y));
  const Input dy(call.type_at(op::unary_grad::dy), data_of(call, op::unary_grad::dy));
  const Output dx(call.type_at(op::unary_grad::dx), data_of(call, op::unary_grad::dx));
  run_chunks(threads, params.count, [&](std::size_t begin, std::size_t end) {
    Block blocks[3];
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      UnaryInputs in;
      in[2] = dy.read(at, count, blocks[2].values);
      in[0] = looks[0] ? x.read(at, count, blocks[0].values) : in[2];
      in[1] = looks[1] ? y.read(at, count, blocks[1].values) : in[2];
      float* out = dx.place(at, blocks[2].values);
      function(in, out, count, params.p0, params.p1);
      dx.write(at, count, out);
    });
  });
}

// One operand of a strided index space, read as if it were contiguous.
template <int kOperands>
class StridedInput {
 public:
  StridedInput(const Axes<kOperands>& axes, std::size_t operand, DType type, const void* data)
      : axes_(axes), operand_(operand), type_(type), data_(data), input_(type, data) {
    const auto stride = axes.strides[axes.last()][operand];
    contiguous_ = axes.rank == 1 && (stride == 1 || axes.sizes[0] == 1);
  }

  // Elements [begin, begin + count) of the index space.
  const float* read(std::size_t begin, std::size_t count, float* scratch) const {
    if (contiguous_) return input_.read(begin, count, scratch);
    const auto columns = static_cast<std::size_t>(axes_.columns());
    const std::int64_t stride = axes_.strides[axes_.last()][operand_];
    std::size_t column = begin % columns;
    if (stride == 1 && column + count <= columns) {
      const Walker<kOperands> walker(axes_, static_cast<std::int64_t>(begin / columns));
      return input_.read(static_cast<std::size_t>(walker.offset(operand_)) + column, count, scratch);
    }
    Walker<kOperands> walker(axes_, static_cast<std::int64_t>(begin / columns));
    for (std::size_t done = 0; done < count; walker.next()) {
      const std::size_t part = std::min(count - done, columns - column);
      read_row(walker.offset(operand_) + static_cast<std::int64_t>(column) * stride, stride, part, scratch + done);
      done += part;
      column = 0;
    }
    return scratch;
  }

 private:
  void read_row(std::int64_t offset, std::int64_t stride, std::size_t count, float* to) const {
    if (stride == 1) {
      const float* values = input_.read(static_cast<std::size_t>(offset), count, to);
      if (values != to) std::copy(values, values + count, to);
    } else if (stride == 0) {
      std::fill(to, to + count, static_cast<float>(load_element(type_, data_, static_cast<std::size_t>(offset))));
    } else {
      for (std::size_t i = 0; i < count; ++i, offset += stride) {
        to[i] = static_cast<float>(load_element(type_, data_, static_cast<std::size_t>(offset)));
      }
    }
  }

  const Axes<kOperands>& axes_;
  std::size_t operand_;
  DType type_;
  const void* data_;
  Input input_;
  bool contiguous_;
};

std::size_t count_of(const BinaryParams& params) {
  std::size_t count = 1;
  for (int axis = 0; axis < params.rank; ++axis) count *= static_cast<std::size_t>(params.sizes[axis]);
  return count;
}

void binary(const KernelCall& call, Threads& threads) {
  const auto params = call.params<BinaryParams>();
  const auto function = binary_blocks(static_cast<BinaryFunction>(call.spec.function)).forward;
  const std::size_t total = count_of(params);
  if (total == 0) return;
  const Axes<2> axes(params.rank, params.sizes, {params.a_strides, params.b_strides});
  const StridedInput<2> a(axes, 0, call.type_at(op::binary::a), data_of(call, op::binary::a));
  const StridedInput<2> b(axes, 1, call.type_at(op::binary::b), data_of(call, op::binary::b));
  const Output y(call.type_at(op::binary::y), data_of(call, op::binary::y));
  run_chunks(threads, total, [&](std::size_t begin, std::size_t end) {
    Block blocks[2];
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      const float* left = a.read(at, count, blocks[0].values);
      const float* right = b.read(at, count, blocks[1].values);
      float* out = y.place(at, blocks[0].values);
      function({left, right, nullptr}, out, count);
      y.write(at, count, out);
    });
  });
}

void binary_grad(const KernelCall& call, Threads& threads) {
  const auto params = call.params<BinaryParams>();
  const int operand = (call.spec.flags & kBinaryGradSecond) != 0 ? 1 : 0;
  const auto function = binary_blocks(static_cast<BinaryFunction>(call.spec.function)).derivative[operand];
  const std::size_t total = count_of(params);
  if (total == 0) return;
  const Axes<3> axes(params.rank, params.sizes, {params.a_strides, params.b_strides, params.dy_strides});
  const StridedInput<3> a(axes, 0, call.type_at(op::binary_grad::a), data_of(call, op::binary_grad::a));
  const StridedInput<3> b(axes, 1, call.type_at(op::binary_grad::b), data_of(call, op::binary_grad::b));
  const StridedInput<3> dy(axes, 2, call.type_at(op::binary_grad::dy), data_of(call, op::binary_grad::dy));
  const Output dx(call.type_at(op::binary_grad::dx), data_of(call, op::binary_grad::dx));
  run_chunks(threads, total, [&](std::size_t begin, std::size_t end) {
    Block blocks[3];
    for_blocks(begin, end, kBlock, [&](std::size_t at, std::size_t count) {
      const BinaryInputs in = {a.read(at, count, blocks[0].values), b.read(at, count, blocks[1].values),
                               dy.read(at, count, blocks[2].values)};
      float* out = dx.place(at, blocks[2].values);
      function(in, out, count);
      dx.write(at, count, out);
    });
  });
}

}  // namespace

Launcher find_pointwise(KernelId kernel, const Spec& spec) {
  if (!is_f32_or_16bit(kernel, spec)) return nullptr;
  switch (kernel) {
    case KernelId::unary: return unary;
    case KernelId::unary_grad: return unary_grad;
    case KernelId::binary: return binary;
    case KernelId::binary_grad: return binary_grad;
    default: return nullptr;
  }
}

}  // namespace amphora::cpu::simd
