// What the contract leaves open: the device's name, precisions and types.
#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

TEST_F(VulkanTest, NamesTheDevice) {
  const auto device = open_vulkan();
  EXPECT_EQ(device->info().backend, "vulkan");
  EXPECT_EQ(device->info().name, device->capabilities().name);
  EXPECT_EQ(device->info().precisions, (std::vector{Precision::f32, Precision::f16, Precision::bf16}));
}

TEST_F(VulkanTest, HasNoF64) {
  EXPECT_FALSE(open_vulkan()->supports(KernelId::cast, {.types = {DType::f64, DType::f64}}).supported);
}

}  // namespace
}  // namespace amphora::vulkan
