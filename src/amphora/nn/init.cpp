#include "amphora/nn/init.h"

#include <cmath>

#include "amphora/core/error.h"

namespace amphora::nn {

namespace {

template <class Draw>
std::vector<float> draw(const Shape& shape, Draw&& one) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = one(i);
  return values;
}

}  // namespace

Fans fans_of(const Shape& shape) {
  require(shape.rank() >= 2, "a weight of shape {} has no fan-in and fan-out; it needs two axes", shape);
  const std::int64_t field = shape.count() / (shape[0] * shape[1]);
  return {shape[1] * field, shape[0] * field};
}

std::vector<float> uniform(const Shape& shape, float low, float high, RandomStream stream) {
  return draw(shape, [&](std::size_t i) { return low + (high - low) * random_uniform(stream, i); });
}

std::vector<float> normal(const Shape& shape, float mean, float deviation, RandomStream stream) {
  return draw(shape, [&](std::size_t i) { return mean + deviation * random_normal(stream, i); });
}

std::vector<float> kaiming_uniform(const Shape& shape, float gain, RandomStream stream) {
  const float bound = gain * std::sqrt(3.0f / static_cast<float>(fans_of(shape).in));
  return uniform(shape, -bound, bound, stream);
}

std::vector<float> kaiming_normal(const Shape& shape, float gain, RandomStream stream) {
  return normal(shape, 0.0f, gain / std::sqrt(static_cast<float>(fans_of(shape).in)), stream);
}

std::vector<float> xavier_uniform(const Shape& shape, float gain, RandomStream stream) {
  const Fans fans = fans_of(shape);
  const float bound = gain * std::sqrt(6.0f / static_cast<float>(fans.in + fans.out));
  return uniform(shape, -bound, bound, stream);
}

std::vector<float> xavier_normal(const Shape& shape, float gain, RandomStream stream) {
  const Fans fans = fans_of(shape);
  return normal(shape, 0.0f, gain * std::sqrt(2.0f / static_cast<float>(fans.in + fans.out)), stream);
}

}  // namespace amphora::nn
