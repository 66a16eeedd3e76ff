#include "amphora/optim/clip.h"

#include <cmath>
#include <limits>

#include "amphora/autograd/trace.h"
#include "amphora/core/context.h"
#include "amphora/core/error.h"
#include "amphora/device/device.h"
#include "amphora/tensor/launch.h"

namespace amphora::optim {

namespace {

std::vector<Tensor> gradients_of(const std::vector<nn::Parameter>& parameters) {
  std::vector<Tensor> gradients;
  for (const nn::ParameterSpan& run : nn::spans_of(parameters, true)) gradients.push_back(run.gradient());
  return gradients;
}

void trace(const char* op) {
  if (autograd::Trace* active = autograd::active_trace()) active->add({.phase = "step", .op = op});
}

Tensor clip_norm(Device& device, const std::vector<Tensor>& gradients, float max_norm, const ClipOptions& options,
                 CodeLine where) {
  const OpPlace place("step", "clip_grad_norm");
  require(options.order > 0.0f || std::isinf(options.order),
          "clip_grad_norm of order {}; it must be above 0 or infinite", options.order);
  require(max_norm >= 0.0f, "clip_grad_norm to the norm {}; it must be at least 0", max_norm);
  const bool minimum = options.order == -std::numeric_limits<float>::infinity() && !gradients.empty();
  Tensor total = Tensor::full(device, {}, minimum ? std::numeric_limits<float>::infinity() : 0.0f);
  for (const Tensor& gradient : gradients) {
    const auto count = count_of(gradient);
    KernelCall call(KernelId::gradient_norm, Spec{.types = {gradient.dtype(), DType::f32}},
                    GradientNormParams{count, options.order});
    device.launch(call.with(range_of(gradient)).with(range_of(total)));
  }
  if (options.error_if_nonfinite) {
    const double norm = total.item(where);
    require(std::isfinite(norm), "clip_grad_norm: the norm of the gradients is {}, so they cannot be clipped", norm);
  }
  for (const Tensor& gradient : gradients) {
    const auto count = count_of(gradient);
    KernelCall call(KernelId::clip_norm, Spec{.types = {gradient.dtype(), DType::f32}}, ClipParams{count, max_norm});
    device.launch(call.with(range_of(gradient)).with(range_of(total)));
  }
  trace("clip_grad_norm");
  return total;
}

}  // namespace

Tensor clip_grad_norm(const std::vector<nn::Parameter>& parameters, float max_norm, const ClipOptions& options,
                      CodeLine where) {
  require(!parameters.empty(), "clip_grad_norm of no parameters");
  return clip_norm(parameters.front().arena()->device(), gradients_of(parameters), max_norm, options, where);
}

Tensor clip_grad_norm(const std::vector<Tensor>& gradients, float max_norm, const ClipOptions& options,
                      CodeLine where) {
  require(!gradients.empty(), "clip_grad_norm of no gradients");
  return clip_norm(gradients.front().device(), gradients, max_norm, options, where);
}

void clip_grad_value(const std::vector<nn::Parameter>& parameters, float limit) {
  clip_grad_value(gradients_of(parameters), limit);
}

void clip_grad_value(const std::vector<Tensor>& gradients, float limit) {
  const OpPlace place("step", "clip_grad_value");
  require(limit >= 0.0f, "clip_grad_value with the limit {}; it must be at least 0", limit);
  for (const Tensor& gradient : gradients) {
    const ClipParams params{count_of(gradient), limit};
    KernelCall call(KernelId::clip_value, Spec{.types = {gradient.dtype()}}, params);
    gradient.device().launch(call.with(range_of(gradient)));
  }
  trace("clip_grad_value");
}

}  // namespace amphora::optim
