#include "amphora/nn/linear.h"

#include <cmath>

#include "amphora/core/error.h"
#include "amphora/ops/matmul.h"

namespace amphora::nn {

Linear::Linear(const Init& init, std::int64_t in, std::int64_t out, LinearOptions options) : options_(options) {
  require(in > 0 && out > 0, "Linear from {} to {} features; both must be positive", in, out);
  const float bound = 1.0f / std::sqrt(static_cast<float>(in));
  const auto parameter = [&](const char* name, const Shape& shape) {
    return Parameter(init.device, name, shape, uniform(shape, -bound, bound, init.random.next()));
  };
  weight_ = parameter("weight", {out, in});
  if (options.bias) bias_ = parameter("bias", {out});
}

void Linear::visit_parts(PartVisitor& visit) {
  visit("weight", weight_);
  visit("bias", bias_);
}

Tensor Linear::forward(const Tensor& x) {
  return linear(x, weight_, options_.bias ? bias_.tensor() : Tensor(), options_.activation);
}

}  // namespace amphora::nn
