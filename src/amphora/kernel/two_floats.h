// A double that travels into a kernel as the sum of two floats: the nearest one, and its rounding error.
#pragma once

namespace amphora {

constexpr float low_part(double value) {
  return static_cast<float>(value - static_cast<double>(static_cast<float>(value)));
}

constexpr double joined(float high, float low) { return static_cast<double>(high) + static_cast<double>(low); }

}  // namespace amphora
