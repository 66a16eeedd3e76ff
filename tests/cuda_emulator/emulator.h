// What tests may ask of the emulator, and set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace amphora::emulator {

// For each node, in the order of capture, the nodes that it waits for.
using GraphEdges = std::vector<std::vector<std::size_t>>;
// Of the graph that was instantiated last.
GraphEdges edges_of_last_graph();

// What goes wrong with graphs that are instantiated from now on.
struct GraphFaults {
  int instantiate = 0;                                          // the error that it ends in
  std::vector<std::pair<std::size_t, std::size_t>> lost_edges;  // from a node, to one that no longer waits for it
};
void set_graph_faults(const GraphFaults& faults);

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
