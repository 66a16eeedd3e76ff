#include "amphora/ops/reduce.h"

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/kernel/call.h"
#include "amphora/ops/op.h"
#include "amphora/ops/view.h"

namespace amphora {

namespace {

using autograd::Gradients;
using ops::InputCast;
using ops::OpScope;
using ops::planes_of;

// Reduces a contiguous `x` along `axis` into `out`.
void launch_reduce(Reduction reduction, const Tensor& x, const Tensor& out, const ReduceParams& params) {
  const Spec spec{.types = {x.dtype(), out.dtype()}, .function = static_cast<std::uint8_t>(reduction)};
  KernelCall call(KernelId::reduce, spec, params);
  out.device().launch(call.with(range_of(x)).with(range_of(out)));
}

Shape reduced_shape(const Shape& shape, int axis, bool keep_axis) {
  return keep_axis ? shape.with(axis, 1) : shape.without(axis);
}

// sum and mean along an axis.
Tensor scaled_sum(std::string_view name, const Tensor& input, int axis, bool keep_axis, bool mean) {
  Tensor x = input;
  const OpScope scope(name, {&x}, InputCast::in_kernel);
  const int a = x.shape().normalize(axis);
  const float scale = mean ? 1.0f / static_cast<float>(x.size(a)) : 1.0f;
  Tensor y = Tensor::empty(x.device(), reduced_shape(x.shape(), a, keep_axis), scope.result());
  launch_reduce(Reduction::sum, contiguous(x), y, planes_of(x.shape(), a, a + 1, scale));
  autograd::record(
      name, y, {x}, [shape = x.shape(), a, type = x.dtype(), scale](const Tensor& dy, Gradients& gradients) {
        // The same number for a whole row: scaled while it is small, then repeated without a copy.
        const Tensor source = contiguous(dy);
        Tensor small = Tensor::empty(dy.device(), dy.shape(), type);
        const Spec spec{.types = {dy.dtype(), type}, .function = static_cast<std::uint8_t>(UnaryFunction::affine)};
        KernelCall call(KernelId::unary, spec, UnaryParams{count_of(dy), scale, 0.0f});
        dy.device().launch(call.with(range_of(source)).with(range_of(small)));
        const Shape kept = shape.with(a, 1);
        gradients.give(0, small.view(shape, broadcast_strides(kept, contiguous_strides(kept), shape), 0));
      });
  return y;
}

Tensor extreme(std::string_view name, Reduction reduction, const Tensor& input, int axis, bool keep_axis) {
  Tensor x = input;
  const OpScope scope(name, {&x}, InputCast::in_kernel);
  const int a = x.shape().normalize(axis);
  require(x.size(a) > 0, "'{}' over the empty axis {} of shape {}", name, axis, x.shape());
  x = x.is_contiguous() ? x : reshape(x, x.shape());
  Tensor y = Tensor::empty(x.device(), reduced_shape(x.shape(), a, keep_axis), scope.result());
  const ReduceParams params = planes_of(x.shape(), a, a + 1, 1.0f);
  launch_reduce(reduction, x, y, params);
  autograd::record(name, y, {x}, [=, x = x.detach(), result = y.detach()](const Tensor& dy, Gradients& gradients) {
    const Tensor gradient = contiguous(dy);
    Tensor dx = Tensor::empty(x.device(), x.shape(), x.dtype());
    const Spec spec{.types = {x.dtype(), result.dtype(), dy.dtype(), dx.dtype()},
                    .function = static_cast<std::uint8_t>(reduction)};
    KernelCall call(KernelId::reduce_grad, spec, params);
    call.with(range_of(x)).with(range_of(result)).with(range_of(gradient)).with(range_of(dx));
    x.device().launch(call);
    gradients.give(0, dx);
  });
  return y;
}

Tensor all_as_one_axis(const Tensor& x) { return x.rank() == 1 ? x : reshape(x, Shape{x.count()}); }

}  // namespace

Tensor sum(const Tensor& x) { return scaled_sum("sum", all_as_one_axis(x), 0, false, false); }
Tensor mean(const Tensor& x) { return scaled_sum("mean", all_as_one_axis(x), 0, false, true); }
Tensor sum(const Tensor& x, int axis, bool keep_axis) { return scaled_sum("sum", x, axis, keep_axis, false); }
Tensor mean(const Tensor& x, int axis, bool keep_axis) { return scaled_sum("mean", x, axis, keep_axis, true); }
Tensor max(const Tensor& x, int axis, bool keep_axis) { return extreme("max", Reduction::max, x, axis, keep_axis); }
Tensor min(const Tensor& x, int axis, bool keep_axis) { return extreme("min", Reduction::min, x, axis, keep_axis); }

}  // namespace amphora
