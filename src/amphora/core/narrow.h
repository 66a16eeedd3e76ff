// narrow: the sizes of tensors, which have 64 bits, as the 32 bits of a kernel's parameters.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace amphora {

// The largest size that a kernel takes: a 256th less than 32 bits hold, so that a loop may step past its end.
template <class To>
inline constexpr std::int64_t kLargestSize = std::int64_t{std::numeric_limits<To>::max()} -
                                             (std::numeric_limits<To>::max() >> 8);

[[noreturn]] void refuse_size(std::int64_t size, std::string_view what, std::int64_t largest);

// Throws Error, naming the op that this thread runs and `what` has that size, where a kernel does not take it.
template <class To>
To narrow(std::int64_t size, std::string_view what) {
  static_assert(sizeof(To) == 4);
  if (size < 0 || size > kLargestSize<To>) refuse_size(size, what, kLargestSize<To>);
  return static_cast<To>(size);
}

}  // namespace amphora
