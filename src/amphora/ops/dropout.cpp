#include "amphora/ops/dropout.h"

#include <cmath>

#include "amphora/autograd/tape.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/kernel/call.h"
#include "amphora/ops/op.h"

namespace amphora {

namespace {

Tensor launch_dropout(const Tensor& x, const DropoutParams& params, DType dtype, const BufferRange& number) {
  const Tensor source = contiguous(x);
  Tensor y = Tensor::empty(x.device(), x.shape(), dtype);
  KernelCall call(KernelId::dropout, Spec{.types = {x.dtype(), dtype}}, params);
  x.device().launch(call.with(range_of(source)).with(range_of(y)).with(number));
  return y;
}

}  // namespace

Tensor dropout(const Tensor& input, float p, RandomStream stream, const BufferRange& call) {
  require(p >= 0.0f && p < 1.0f, "dropout with probability {}; it must be at least 0 and below 1", p);
  Tensor x = input;
  const ops::OpScope scope("dropout", {&x}, ops::InputCast::in_kernel);
  const DropoutParams params{.count = count_of(x),
                             .threshold = static_cast<std::uint32_t>(std::ldexp(static_cast<double>(p), 32)),
                             .scale = 1.0f / (1.0f - p),
                             .seed_low = static_cast<std::uint32_t>(stream.seed),
                             .seed_high = static_cast<std::uint32_t>(stream.seed >> 32),
                             .stream_low = static_cast<std::uint32_t>(stream.stream),
                             .stream_high = static_cast<std::uint32_t>(stream.stream >> 32)};
  Tensor y = launch_dropout(x, params, scope.result(), call);
  // Backward runs in the same step, so the number is still there.
  autograd::record("dropout", y, {x}, [=, type = x.dtype()](const Tensor& dy, autograd::Gradients& gradients) {
    gradients.give(0, launch_dropout(dy, params, type, call));
  });
  return y;
}

}  // namespace amphora
