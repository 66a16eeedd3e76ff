// A number that travels as the sum of two floats, see AdamParams.
#pragma once

namespace amphora {

inline double joined(float high, float low) { return static_cast<double>(high) + static_cast<double>(low); }

}  // namespace amphora
