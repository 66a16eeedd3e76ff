// How a product is cut into tiles: which ways a device has, and which of them suits a shape.
//
// Nothing here touches a device, so that a tuner or a test can walk through all ways.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amphora/kernel/call.h"
#include "backends/vulkan/capabilities.h"

namespace amphora::vulkan {

constexpr std::uint32_t ceil_div(std::uint32_t a, std::uint32_t b) { return (a + b - 1) / b; }

// A workgroup computes a tile of c: workers_m x workers_n workers, each parts_m x parts_n units of unit.m x unit.n. By
// cooperative matrices a worker is a subgroup and a unit a fragment; by multiply-adds they are an invocation and 4 x 4
// elements.
struct Tiling {
  bool cooperative = false;
  MatrixShape unit;
  std::uint32_t parts_m = 1;
  std::uint32_t parts_n = 1;
  std::uint32_t workers_m = 1;
  std::uint32_t workers_n = 1;
  std::uint32_t lanes = 1;    // invocations of a worker
  std::uint32_t depth = 1;    // k of a block in shared memory
  std::uint32_t padding = 0;  // elements behind a row there
  bool direct = false;        // without shared memory, where shape and alignment allow

  std::uint32_t tile_m() const { return workers_m * parts_m * unit.m; }
  std::uint32_t tile_n() const { return workers_n * parts_n * unit.n; }
  std::uint32_t invocations() const { return workers_m * workers_n * lanes; }
  // The larger of what the layouts of a and b need.
  std::uint32_t shared_bytes() const;
  bool operator==(const Tiling&) const = default;
};

// "cooperative matrix 8x8x8, tile 16x16, direct", "fma, tile 64x64"
std::string describe(const Tiling& tiling);

// The cooperative-matrix shape for a product of these types; null: multiply-adds.
const MatrixShape* matrix_shape_for(const Spec& spec, const Capabilities& capabilities);

// All ways that the device has for these types, the largest tile first; never empty.
std::vector<Tiling> tilings(const Spec& spec, const Capabilities& capabilities);

// A tiling, and into how many slices k is cut: more than one where the tiles alone leave the device idle.
struct Choice {
  Tiling tiling;
  std::uint32_t slices = 1;
};
// Nothing to launch is a choice too: sizes of 0 are fine.
Choice choose(const std::vector<Tiling>& ways, const MatmulParams& params, const Capabilities& capabilities);

class CommandEncoder;

// The launcher of matmul with a choice of the caller's.
void multiply(const KernelCall& call, CommandEncoder& encoder, const Choice& choice);

}  // namespace amphora::vulkan
