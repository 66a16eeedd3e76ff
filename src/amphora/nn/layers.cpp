#include "amphora/nn/layers.h"

#include <cmath>
#include <cstring>

#include "amphora/core/error.h"
#include "amphora/nn/init.h"
#include "amphora/ops/dropout.h"
#include "amphora/ops/matmul.h"
#include "amphora/plan/recorder.h"

namespace amphora::nn {

Linear::Linear(Device& device, RandomSource& random, std::int64_t in, std::int64_t out, LinearOptions options)
    : options_(options) {
  require(in > 0 && out > 0, "Linear from {} to {} features; both must be positive", in, out);
  const float bound = 1.0f / std::sqrt(static_cast<float>(in));
  const Shape shape{out, in};
  weight_ = register_parameter(Parameter(device, "weight", shape, uniform(shape, -bound, bound, random.next())));
  if (options.bias) {
    bias_ = register_parameter(Parameter(device, "bias", {out}, uniform({out}, -bound, bound, random.next())));
  }
}

Tensor Linear::forward(const Tensor& x) {
  return linear(x, weight_, options_.bias ? bias_.tensor() : Tensor(), options_.activation);
}

Dropout::Dropout(RandomSource& random, float p) : stream_(random.next()), p_(p) {
  require(p >= 0.0f && p < 1.0f, "Dropout with probability {}; it must be at least 0 and below 1", p);
}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || p_ == 0.0f) return x;
  const Draw call = draw_once([this] { return next_call(); });
  // The upper half of the stream's number tells the calls apart.
  return dropout(x, p_, {stream_.seed, stream_.stream | std::uint64_t{call.number} << 32}, call.fed);
}

Draw Dropout::next_call() {
  plan::Recorder* recorder = plan::Recorder::capturing();
  if (recorder == nullptr) return {.number = ++*calls_};
  return {.fed = recorder->feed("dropout call", sizeof(std::uint32_t), [calls = calls_](auto bytes) {
    const std::uint32_t call = ++*calls;
    std::memcpy(bytes.data(), &call, sizeof call);
  })};
}

void Sequential::add(std::shared_ptr<Module> module) {
  register_module(std::to_string(modules().size()), std::move(module));
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const auto& module : modules()) y = (*module)(y);
  return y;
}

}  // namespace amphora::nn
