// What the contract leaves open: paths, the device's name, precisions and types.
#include <map>

#include "vulkan_test.h"

namespace amphora::vulkan {
namespace {

TEST_F(VulkanTest, NamesTheDevice) {
  const auto device = open_vulkan();
  EXPECT_EQ(device->info().backend, "vulkan");
  EXPECT_EQ(device->info().name, device->capabilities().name);
  EXPECT_EQ(device->info().precisions, (std::vector{Precision::f32, Precision::f16, Precision::bf16}));
}

TEST_F(VulkanTest, ProfilingNamesWhatRan) {
  const auto device = open_vulkan();
  const BufferPtr x = buffer_of(*device, std::vector<float>(1000, 1.0f));
  device->set_profiling(true);
  launch_affine(x, x, 3.0f, 1.0f);
  const auto& paths = device->counters().paths[static_cast<std::size_t>(KernelId::unary)];
  EXPECT_EQ(paths, (std::map<std::string, std::uint64_t>{{"unary", 1}}));
}

TEST_F(VulkanTest, HasNoF64) {
  EXPECT_FALSE(open_vulkan()->supports(KernelId::cast, {.types = {DType::f64, DType::f64}}).supported);
}

}  // namespace
}  // namespace amphora::vulkan
