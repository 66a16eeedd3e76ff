// The one exception type of amphora, and the helpers that build its messages.
//
// A message says what was asked, with which shapes and types, on which backend, and what to do about it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace amphora {

// A fault of the caller's input or of the environment: a wrong shape, a missing file, no device.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The device has no room left for an allocation.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

// Two calls came in an order that the API forbids (unscale after step, backward twice).
class StateError : public Error {
 public:
  using Error::Error;
};

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

// Throws Error with the formatted message unless `condition` holds.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(format, std::forward<Args>(args)...);
}

}  // namespace amphora
