// What tests may ask of the emulator, and set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace amphora::emulator {

// Runs work at once, as the next of the device's queue, and moves its time on. What comes after a fault is dropped.
// Work that returns false ends in cudaErrorLaunchFailure. Returns a cudaError_t.
int queue(const std::function<bool()>& work, double nanoseconds);

// What cuBLASLt was asked for since the process began.
struct ProductCounts {
  std::uint64_t heuristics = 0;
  std::uint64_t checks = 0;
  std::uint64_t products = 0;
};
ProductCounts product_counts();

// Algorithms have the numbers 0 to kAlgorithms - 1; heuristics propose them in this order. Algorithm 0 takes operands
// of any alignment and needs no workspace; the others want multiples of 16 bytes, and the last two cut the sums in
// pieces, in a workspace.
inline constexpr int kAlgorithms = 4;
struct AlgorithmTraits {
  int pieces;
  std::size_t workspace;
  bool wants_aligned;
};
inline constexpr AlgorithmTraits kAlgorithmTraits[kAlgorithms] = {
    {1, 0, false}, {1, 0, true}, {2, std::size_t{1} << 20, true}, {4, std::size_t{8} << 20, true}};

// What a product takes, in nanoseconds; empty: what it takes by default, which is less the higher the number is.
using ProductTime = std::function<double(int algorithm, unsigned epilogue)>;
void set_product_time(ProductTime time);

}  // namespace amphora::emulator
