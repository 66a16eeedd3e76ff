// How products are cut into tiles, on devices that this machine need not have.
#include "backends/vulkan/matmul_tiles.h"

#include <tuple>

#include <gtest/gtest.h>

namespace amphora::vulkan {
namespace {

Capabilities device_with(std::uint32_t lanes, MatrixShape shape, std::uint32_t shared_memory) {
  Capabilities capabilities;
  capabilities.subgroup_size = lanes;
  capabilities.matrix_shapes = {shape};
  capabilities.shared_memory = shared_memory;
  capabilities.max_invocations = 1024;
  capabilities.max_groups = {65535, 65535, 65535};
  return capabilities;
}

Capabilities processor() {
  Capabilities capabilities = device_with(8, {8, 8, 8, DType::f16}, 32768);
  capabilities.is_cpu = true;
  return capabilities;
}

const Capabilities kDevices[] = {device_with(32, {16, 16, 16, DType::f16}, 49152),
                                 device_with(32, {16, 8, 16, DType::f16}, 49152),
                                 device_with(64, {16, 16, 16, DType::f16}, 65536),
                                 device_with(16, {8, 16, 16, DType::f16}, 65536),
                                 device_with(8, {8, 8, 16, DType::f16}, 65536),
                                 device_with(32, {16, 16, 16, DType::f16}, 16384),
                                 processor()};

Spec halves() { return {.types = {DType::f16, DType::f16, DType::f32, DType::f32}}; }
Spec floats() { return {.types = {DType::f32, DType::f32, DType::f32, DType::f32}}; }

MatmulParams product(int m, int n, int k, int batch = 1) {
  MatmulParams params{};
  std::tie(params.m, params.n, params.k, params.batch) = std::tie(m, n, k, batch);
  return params;
}

Choice choose(const Capabilities& device, const MatmulParams& params) {
  return choose(tilings(halves(), device), params, device);
}

TEST(MatmulTiles, FitTheDevice) {
  for (const Capabilities& device : kDevices) {
    for (const Spec& spec : {halves(), floats()}) {
      for (const Tiling& tiling : tilings(spec, device)) {
        SCOPED_TRACE(describe(tiling));
        EXPECT_EQ(tiling.cooperative, spec == halves());
        EXPECT_LE(tiling.invocations(), device.max_invocations);
        EXPECT_LE(tiling.shared_bytes(), device.shared_memory);
        EXPECT_EQ(tiling.depth % (tiling.cooperative ? tiling.unit.k : 4), 0u);
        const std::uint32_t sums = tiling.parts_m * tiling.parts_n * tiling.unit.m * tiling.unit.n / tiling.lanes;
        EXPECT_LE(sums, 128u);
      }
    }
  }
}

TEST(MatmulTiles, MixedTypesAreMultipliedInFloats) {
  Spec mixed = halves();
  mixed.types[1] = DType::bf16;
  EXPECT_FALSE(tilings(mixed, kDevices[0]).front().cooperative);
}

TEST(MatmulTiles, LargeProductsGetLargeTiles) {
  const Choice choice = choose(kDevices[0], product(4096, 4096, 4096));
  EXPECT_EQ(describe(choice.tiling), "cooperative matrix 16x16x16, tile 128x128");
  EXPECT_EQ(choice.slices, 1u);
}

TEST(MatmulTiles, SmallProductsFillTheDeviceWithSmallTiles) {
  const Choice choice = choose(kDevices[0], product(128, 512, 784));
  EXPECT_EQ(describe(choice.tiling), "cooperative matrix 16x16x16, tile 32x32");
}

TEST(MatmulTiles, TallProductsAreCutAlongK) {
  EXPECT_GT(choose(kDevices[0], product(64, 64, 65536)).slices, 1u);
  EXPECT_GT(choose(processor(), product(8, 8, 65536)).slices, 1u);
  EXPECT_EQ(choose(kDevices[0], product(64, 64, 65536, 1024)).slices, 1u) << "batches fill the device";
  EXPECT_EQ(choose(kDevices[0], product(64, 64, 256)).slices, 1u) << "k is too short";
}

TEST(MatmulTiles, EmptyProductsAreFine) {
  for (const Capabilities& device : kDevices) {
    EXPECT_EQ(choose(device, product(0, 5, 5)).slices, 1u);
    EXPECT_EQ(choose(device, product(5, 5, 5, 0)).slices, 1u);
    EXPECT_EQ(choose(device, product(5, 5, 0)).slices, 1u);
  }
}

TEST(MatmulTiles, ACpuLoadsDirectly) {
  EXPECT_EQ(describe(tilings(halves(), processor()).front()), "cooperative matrix 8x8x8, tile 8x16, direct");
  EXPECT_EQ(describe(tilings(floats(), processor()).front()), "fma, tile 16x32, direct");
}

}  // namespace
}  // namespace amphora::vulkan
