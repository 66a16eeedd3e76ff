#include "amphora/core/rng.h"

#include <cmath>
#include <numbers>

#include "amphora/kernel/shared/philox.h"

#define AM_UINT std::uint32_t
#define AM_MULHI(a, b) static_cast<std::uint32_t>((static_cast<std::uint64_t>(a) * (b)) >> 32)

namespace amphora {

std::array<std::uint32_t, 4> philox_block(RandomStream stream, std::uint64_t index) {
  auto c0 = static_cast<std::uint32_t>(index);
  auto c1 = static_cast<std::uint32_t>(index >> 32);
  auto c2 = static_cast<std::uint32_t>(stream.stream);
  auto c3 = static_cast<std::uint32_t>(stream.stream >> 32);
  auto k0 = static_cast<std::uint32_t>(stream.seed);
  auto k1 = static_cast<std::uint32_t>(stream.seed >> 32);
  AM_PHILOX_10(c0, c1, c2, c3, k0, k1)
  return {c0, c1, c2, c3};
}

std::uint32_t random_bits(RandomStream stream, std::uint64_t index) {
  return philox_block(stream, index / 4)[index % 4];
}

float random_uniform(RandomStream stream, std::uint64_t index) {
  return static_cast<float>(random_bits(stream, index) >> 8) * 0x1p-24f;
}

float random_normal(RandomStream stream, std::uint64_t index) {
  const std::uint64_t pair = index & ~std::uint64_t{1};
  // 1 - u lies in (0, 1], so the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - static_cast<double>(random_uniform(stream, pair))));
  const double angle = 2.0 * std::numbers::pi * static_cast<double>(random_uniform(stream, pair + 1));
  return static_cast<float>(radius * (index & 1 ? std::sin(angle) : std::cos(angle)));
}

std::uint64_t random_below(RandomStream stream, std::uint64_t index, std::uint64_t bound) {
  return (static_cast<std::uint64_t>(random_bits(stream, index)) * bound) >> 32;
}

}  // namespace amphora
