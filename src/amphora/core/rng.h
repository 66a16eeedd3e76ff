// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
//
// Element i of a stream depends on (seed, stream, i) alone, so every backend and every thread count draws the same
// bits. The generator itself stands in kernel/shared/philox.h, which shaders and CUDA kernels include too.
#pragma once

#include <array>
#include <cstdint>

namespace amphora {

// Names an independent sequence of random numbers: a seed chosen by the user, and what the numbers are for.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
};

// Hands out streams of one seed, each once: what draws first gets the first stream.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : seed_(seed) {}
  RandomStream next() { return {seed_, next_++}; }

 private:
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

// The four 32-bit words of block `index`.
std::array<std::uint32_t, 4> philox_block(RandomStream stream, std::uint64_t index);

// Element `index` of the stream: 32 random bits, a uniform number in [0, 1) with 24 bits, a standard normal number
// (Box-Muller on the elements 2k and 2k+1).
std::uint32_t random_bits(RandomStream stream, std::uint64_t index);
float random_uniform(RandomStream stream, std::uint64_t index);
float random_normal(RandomStream stream, std::uint64_t index);

// A number in [0, bound) without bias worth noticing for bounds below 2^32 (multiply-shift on 64 bits).
std::uint64_t random_below(RandomStream stream, std::uint64_t index, std::uint64_t bound);

}  // namespace amphora
