// Checks that the self-check runs too, on devices that are broken on purpose.
#pragma once

#include <cstddef>

#include "conformance/array.h"

namespace amphora::conformance {

void check_narrowing(Random& random, std::size_t count);
void check_unscale(Random& random);
void check_a_single_overflow(Random& random);

}  // namespace amphora::conformance
