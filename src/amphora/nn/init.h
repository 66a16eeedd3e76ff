// Initial values. Drawn on the host from a counter, so that the same seed gives the same bits on every backend.
#pragma once

#include <cstdint>
#include <vector>

#include "amphora/core/rng.h"
#include "amphora/core/shape.h"

namespace amphora {
class Device;
}

namespace amphora::nn {

// Where a module's parameters lie, and what their initial values and its masks are drawn from: the first argument of
// every module's constructor.
struct Init {
  Device& device;
  RandomSource& random;
};

struct Fans {
  std::int64_t in;
  std::int64_t out;
};
// Of a weight [out, in, ...]: the extents behind the second multiply both.
Fans fans_of(const Shape& shape);

std::vector<float> uniform(const Shape& shape, float low, float high, RandomStream stream);
std::vector<float> normal(const Shape& shape, float mean, float deviation, RandomStream stream);
// He et al. 2015, eq. 10, on the fan-in; `gain` is sqrt(2) for ReLU. The uniform bound is gain * sqrt(3 / fan_in).
std::vector<float> kaiming_uniform(const Shape& shape, float gain, RandomStream stream);
std::vector<float> kaiming_normal(const Shape& shape, float gain, RandomStream stream);
// Glorot & Bengio 2010, eq. 16: bound gain * sqrt(6 / (fan_in + fan_out)).
std::vector<float> xavier_uniform(const Shape& shape, float gain, RandomStream stream);
std::vector<float> xavier_normal(const Shape& shape, float gain, RandomStream stream);

}  // namespace amphora::nn
