#include "amphora/ops/op.h"

#include <fmt/format.h>

#include "amphora/amp/autocast.h"
#include "amphora/autograd/trace.h"
#include "amphora/core/error.h"
#include "amphora/core/narrow.h"
#include "amphora/device/device.h"

namespace amphora::ops {

namespace {

bool eligible(DType type) { return is_floating(type) && type != DType::f64; }

}  // namespace

OpScope::OpScope(std::string_view op, std::initializer_list<Tensor*> inputs, InputCast loads, std::string_view epilogue)
    : OpScope(amp::find_op(op), inputs, loads, epilogue) {}

OpScope::OpScope(const amp::OpInfo& op, std::initializer_list<Tensor*> inputs, InputCast loads,
                 std::string_view epilogue)
    : op_(op), place_(context().place.recomputes ? "recompute" : "forward", op.name), inputs_(inputs) {
  std::vector<amp::Operand> operands;
  std::vector<DType> arrived;
  for (const Tensor* input : inputs) {
    if (!input->defined()) continue;
    operands.push_back({input->dtype(), input->rank() == 0});
    arrived.push_back(input->dtype());
    if (device_ == nullptr) device_ = &input->device();
    require(device_ == &input->device(), "'{}' has inputs on two devices: {} and {}", op.name, device_->info().name,
            input->device().info().name);
  }
  require(device_ != nullptr, "'{}' was called without a defined input", op.name);
  decision_ = amp::decide(op, amp::active_dtype(), amp::override_of(op.name), operands);
  if (decision_.cast_to) {
    int position = 0;
    for (Tensor* input : inputs) {
      if (input->defined() && eligible(input->dtype()) && input->dtype() != *decision_.cast_to) {
        const bool folded = loads == InputCast::in_kernel && *decision_.cast_to == DType::f32;
        if (folded) {
          casts_.push_back(fmt::format("{}: {}->f32 saved (load)", position, name_of(input->dtype())));
        } else {
          convert(*input, *decision_.cast_to, position);
        }
      }
      ++position;
    }
  }
  if (autograd::Trace* trace = autograd::active_trace()) {
    trace->add({.phase = context().place.phase,
                .op = epilogue.empty() ? std::string(op.name) : fmt::format("{}+{}", op.name, epilogue),
                .inputs = arrived,
                .rule = std::string(amp::name_of(decision_.rule)) + (decision_.overridden ? "*" : ""),
                .ran_in = decision_.result,
                .casts = casts_});
  }
}

void OpScope::convert(Tensor& input, DType target, int position) {
  const auto& leaf = input.leaf();
  const bool saved = leaf != nullptr && leaf->working_copy;
  casts_.push_back(fmt::format("{}: {}->{}{}", position, name_of(input.dtype()), name_of(target),
                               saved ? " saved (working copy)" : ""));
  input = saved ? leaf->working_copy(target) : cast(input, target);
}

void OpScope::require_one_type() const {
  std::string types;
  bool one_type = true;
  DType first{};
  for (const Tensor* input : inputs_) {
    if (!input->defined()) continue;
    if (types.empty()) first = input->dtype();
    one_type = one_type && input->dtype() == first;
    types += fmt::format("{}{} {}", types.empty() ? "" : ", ", name_of(input->dtype()), input->shape());
  }
  require(one_type, "'{}' on {} needs inputs of one type, but got {}; convert with cast(), or run it under autocast",
          op_.name, device_->info().backend, types);
}

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  const OpPlace place(context().place.recomputes ? "recompute" : "forward", "cast");
  Tensor y = Tensor::empty(x.device(), x.shape(), dtype);
  launch_copy(x, y);
  if (is_floating(dtype)) {
    autograd::record("cast", y, {x}, [type = x.dtype()](const Tensor& dy, autograd::Gradients& gradients) {
      gradients.give(0, converted(dy, type));
    });
  }
  return y;
}

ReduceParams planes_of(const Shape& shape, int begin, int end, float scale) {
  const auto product = [&shape](int from, int to) {
    std::int64_t count = 1;
    for (int axis = from; axis < to; ++axis) count *= shape[axis];
    return narrow<std::uint32_t>(count, "number of elements");
  };
  narrow<std::uint32_t>(shape.count(), "number of elements");
  return {.outer = product(0, begin),
          .extent = product(begin, end),
          .inner = product(end, shape.rank()),
          .scale = scale,
          .accumulate = 0};
}

Tensor sum_to(const Tensor& gradient, const Shape& shape, DType dtype) {
  if (gradient.shape() == shape) return converted(gradient, dtype);
  Tensor sum = contiguous(gradient);
  // One reduction over each maximal run of repeated axes, in f32 until the last.
  int axis = 0;
  const int extra = sum.rank() - shape.rank();
  const auto repeated = [&](int i) { return sum.size(i) != 1 && (i < extra || shape[i - extra] == 1); };
  while (axis < sum.rank()) {
    if (!repeated(axis)) {
      ++axis;
      continue;
    }
    int end = axis;
    Shape reduced = sum.shape();
    for (; end < sum.rank() && repeated(end); ++end) reduced = reduced.with(end, 1);
    const ReduceParams params = planes_of(sum.shape(), axis, end, 1.0f);
    const DType type = sum.dtype() == DType::f64 ? DType::f64 : DType::f32;
    Tensor out = Tensor::empty(sum.device(), reduced, type);
    KernelCall call(KernelId::reduce, Spec{.types = {sum.dtype(), type}}, params);
    sum.device().launch(call.with(range_of(sum)).with(range_of(out)));
    sum = out;
    axis = end;
  }
  return converted(sum.view(shape, contiguous_strides(shape), sum.offset()), dtype);
}

}  // namespace amphora::ops
