// Sizes of memory in messages and tables.
#pragma once

#include <string>

#include <fmt/format.h>

namespace amphora {

// "1.5 MiB"
inline std::string bytes_text(double bytes, int digits = 1) {
  return fmt::format("{:.{}f} MiB", bytes / 0x1p20, digits);
}
template <class Bytes>
std::string bytes_text(Bytes bytes, int digits = 1) {
  return bytes_text(static_cast<double>(bytes), digits);
}

}  // namespace amphora
